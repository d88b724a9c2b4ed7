"""The tables of what is known about the partitions of the gates, beside Redis."""

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from tallygate.storage.sql.models import Base, Instant


class PartitionRow(Base):
    """A partition of the gates: its epoch, whether its counters are whole, how far it was collected."""

    __tablename__ = "partitions"

    partition: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    epoch: Mapped[str]
    state: Mapped[str]
    last_entry_id: Mapped[str]
    lease_owner: Mapped[str]  # unread, as the next column; both stay until no version that reads them can be running
    lease_until: Mapped[int | None] = mapped_column(Instant())


class LossRow(Base):
    """Entries of a partition whose counts Redis has lost: those after one, up to another.

    Their effects are still events; who repeats one is counted for the first time, as far as the counters go.
    """

    __tablename__ = "partition_losses"

    number: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=True)
    partition: Mapped[int] = mapped_column(Integer())
    after_entry_id: Mapped[str]
    until_entry_id: Mapped[str]
