"""Whether a database can hold any text: ids and names are of any script, and what cannot be stored would be lost."""

from sqlalchemy import Connection, text

from tallygate.domain.errors import InvalidFieldError

CLIENT = "utf8"
"""What every connection to PostgreSQL speaks, whatever the environment, the role or the database would choose."""

UTF8 = frozenset({"UTF8", "UTF-8", "UNICODE"})
"""Its names, in capitals."""

_FIX = {
    "postgresql": "a database in UTF8: restore a dump into one made with ENCODING 'UTF8' TEMPLATE template0",
    "sqlite": "a database in UTF-8: restore a dump (.dump) into a new file",
}


def check_database(connection: Connection) -> None:
    """Refuse a database that keeps or speaks another encoding.

    Raises:
        InvalidFieldError: it does; what it keeps cannot be changed, so its text has to move to a new one.
    """
    dialect = connection.dialect.name
    looks = ("PRAGMA encoding",) if dialect == "sqlite" else ("SHOW server_encoding", "SHOW client_encoding")
    for look in looks:
        found = str(connection.execute(text(look)).scalar_one())
        if found.upper() not in UTF8:
            raise InvalidFieldError(field="database encoding", expected=_FIX[dialect], got=found)
