"""A document published through the wire, or refused with the line that is to blame."""

from tallygate.cli.catalog_reader import Document
from tallygate.cli.client import Client
from tallygate.cli.failures import CommandError
from tallygate_api.v1 import catalog_service_pb2 as wire
from tallygate_api.v1.catalog_service_pb2_grpc import CatalogServiceStub

MIGRATE = {"none": wire.MIGRATE_NONE, "now": wire.MIGRATE_NOW, "period_end": wire.MIGRATE_PERIOD_END}
"""Whom new versions move, in the command line's words."""


def apply_document(
    client: Client, document: Document, *, migrate: str = "none", prune: bool = False, validate_only: bool = False
) -> wire.ApplyCatalogResponse:
    """Publish a document, or only say what that would change.

    Raises:
        CommandError: it was refused; the text names the line.
    """
    request = wire.ApplyCatalogRequest(
        catalog=document.catalog, validate_only=validate_only, migrate=MIGRATE[migrate], prune=prune
    )
    try:
        return client.call(CatalogServiceStub(client.channel).ApplyCatalog, request)
    except CommandError as error:
        path = error.metadata().get("field") or error.metadata().get("path")
        if path is None:
            raise
        message = f"{document.place(path)}: {error}"
        raise CommandError(message, exit_code=error.exit_code, status=error.status, hints=error.hints) from None
