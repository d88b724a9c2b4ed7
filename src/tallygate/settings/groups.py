"""What can be set, by group, each with its default and what it means."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tallygate.settings.forms import Bytes, Count, HomePath, OptionalPath, ReceiverUrl, Seconds, SecretUrl, WebUrl


class Group(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ServerSettings(Group):
    """Where the server listens and what it lets in."""

    grpc_address: str = "127.0.0.1:7420"
    """Where gRPC is served: host:port, or unix:/path."""
    admin_address: str = "127.0.0.1:7421"
    """Where /live, /ready and /metrics are served: host:port."""
    http_address: str = ""
    """Where payment gateways tell what happened (webhooks): host:port; empty: nowhere. Not in role data."""
    http_tls: bool = False
    """Whether it is served with the certificate of gRPC; it asks its clients for none."""
    transport: Literal["auto", "grpcio", "native"] = "auto"
    """What carries gRPC; auto takes native where the extra is installed and the listener is local."""
    workers: Annotated[int, Field(ge=1, le=1024)] = 1
    """How many processes serve the hot path, on one TCP port or a Unix socket each; more than one: role data."""
    apart: bool = True
    """Whether role all runs worker and control plane in a process of their own; off: all in one, in less memory."""
    tls_cert: OptionalPath = None
    """A PEM file with the certificate that gRPC is served with, over TLS; read again when it changes. Not on native."""
    tls_key: OptionalPath = None
    """A PEM file with its key; empty: it is in the same file."""
    tls_client_ca: OptionalPath = None
    """A PEM file of the authorities that sign clients' certificates; a client without one is refused."""
    tls_clients_file: OptionalPath = None
    """A YAML file that says what clients may do by their certificates, instead of an API key or beside one."""
    admin_tls: bool = False
    """Whether the admin port is served with the same certificate; it asks its clients for none."""
    admin_token_file: OptionalPath = None
    """A file with the token that /metrics and the reasons of /ready need, as `Authorization: Bearer ...`."""
    listener_key_file: OptionalPath = None
    """A file with the API key that callers without one act as; for local listeners."""
    max_in_flight: Count = 1024
    """How many calls may be in flight in a process, one tenant's up to seven eighths; more are UNAVAILABLE."""
    native_in_place: bool = True
    """Whether the native transport's thread answers calls itself while the event loop waits: a third off a lone one."""
    max_connection_age: Annotated[Seconds, Field(gt=0)] = 3600.0
    """How long a connection takes new calls on transport grpcio; its client then opens another one."""
    max_connection_age_grace: Annotated[Seconds, Field(gt=0)] = 60.0
    """How long what is still open on such a connection may take: streams, and calls that never became whole."""
    default_deadline: Annotated[Seconds, Field(gt=0)] = 5.0
    """The deadline of a call that brings none."""
    max_deadline: Annotated[Seconds, Field(gt=0)] = 60.0
    """The longest deadline that a call may bring; never shorter than the one of a call that brings none."""
    max_message_bytes: Annotated[Bytes, Field(ge=1024)] = 256 * 1024
    """The largest request of a single call."""
    max_batch_message_bytes: Annotated[Bytes, Field(ge=1024)] = 1024 * 1024
    """The largest request of a batch or of the control plane."""
    drain_delay_seconds: Seconds = 0.0
    """How long to keep serving after health says NOT_SERVING, for balancers to notice."""
    drain_seconds: Seconds = 10.0
    """How long calls in flight may take to finish at a stop."""
    reflection: bool = True
    """Whether the server describes its services to callers."""


class RedisSettings(Group):
    """The store of views, gates and events."""

    url: SecretUrl = SecretUrl("")
    """redis://, rediss:// (TLS), redis+sentinel://, redis+cluster:// or unix:// URL; empty starts one in data_dir."""
    username_file: OptionalPath = None
    """A file with the user instead of one in the URL, read at each connect: it may be replaced while running."""
    password_file: OptionalPath = None
    """A file with the password instead of one in the URL, read at each connect: it may be replaced while running."""
    tls_ca: OptionalPath = None
    """A PEM file of the authorities that the server's certificate may come from; empty: the system's."""
    tls_cert: OptionalPath = None
    """A PEM file with our certificate, where the server wants one."""
    tls_key: OptionalPath = None
    """A PEM file with its key; empty: it is in the same file."""
    tls_server_name: str = ""
    """The name to ask for (SNI) and to find in the server's certificate; empty: the URL's host."""
    connect_timeout: Annotated[Seconds, Field(gt=0)] = 0.25
    """How long connecting may take."""
    read_timeout: Annotated[Seconds, Field(gt=0)] = 0.1
    """How long a reply may take before the call is answered by its failure policy."""
    appendfsync: Literal["everysec", "always"] = "everysec"
    """When the embedded Valkey writes through to disk: once a second, or before every answer."""
    promises: Literal["require", "warn"] = "require"
    """Whether a start is refused on a server that evicts or keeps nothing on disk, or only warned of; testing warns."""
    strict_replicas: Annotated[int, Field(ge=1, le=16)] = 1
    """How many replicas must have what a feature of `durability: strict` took before it is answered."""
    strict_timeout: Annotated[Seconds, Field(gt=0)] = 0.25
    """How long they may take for it before the call ends with NOT_REPLICATED."""
    partitions: Annotated[int, Field(ge=1, le=4096)] = 64
    """How many partitions keys are hashed to; fixed for the life of an installation."""


class DatabaseSettings(Group):
    """The store of catalogue, accounts, keys and billable events."""

    url: SecretUrl = SecretUrl("")
    """postgresql:// or sqlite:// URL; empty is SQLite in data_dir."""
    pool_size: Count = 10
    """How many PostgreSQL connections are kept."""


class DataPlaneSettings(Group):
    """How the hot path decides."""

    max_staleness: Seconds = 5.0
    """How old a view or a key may be when its store cannot be asked."""
    key_outage: Seconds = 86400.0
    """How long a key that was valid when Redis went away serves what failure policies allow."""
    replay_window: Annotated[Seconds, Field(gt=0, le=86400)] = 3600.0
    """How long a request_id is answered with its first answer; at most 24 h."""
    stream_max: Count = 1_000_000
    """How many events a partition's stream holds before consumes answer EVENT_BACKLOG (noticed within 0.1 s)."""
    cached_accounts: Count = 25_000
    """How many accounts' folded entitlements are kept in process."""
    cached_keys: Count = 10_000
    """How many API keys are kept in process."""


class CollectorSettings(Group):
    """How events move from the stream to SQL."""

    batch_size: Annotated[int, Field(ge=1, le=10_000)] = 500
    """How many events are written in one transaction."""
    flush_interval: Annotated[Seconds, Field(gt=0, le=1)] = 0.2
    """How long an event may wait for company."""


class BillingSettings(Group):
    """How money moves."""

    master_key_file: OptionalPath = None
    """A file with the keys that seal gateways' secrets: base64 of 32 bytes, one a line; the first seals, each opens."""
    fake_on_live: bool = False
    """Whether live tenants, too, may use the gateway `fake`, which takes no money and marks invoices paid."""
    commission_day: Annotated[int, Field(ge=1, le=28)] = 17
    """On which day of each month it is told what partners have of what was paid since the run before."""
    gateway_timeout: Annotated[Seconds, Field(gt=0, le=18)] = 15.0
    """How long a payment gateway may take to answer; what became of what it was asked for is then found out."""
    charge_service_timeout: Annotated[Seconds, Field(gt=0, le=18)] = 10.0
    """How long an app may take to tell its charges before it is asked again later."""
    charge_service_ca: OptionalPath = None
    """A PEM file of the authorities that apps' certificates may come from; empty: the system's."""
    return_url: WebUrl = ""
    """Where payers come back to from their bank; empty: who is asked to confirm a payment there is refused instead."""
    stripe_url: WebUrl = "https://api.stripe.com"
    """Where Stripe is asked."""
    paypal_url: WebUrl = "https://api-m.paypal.com"
    """Where PayPal is asked; of credentials with `environment: sandbox` its sandbox is."""
    razorpay_url: WebUrl = "https://api.razorpay.com"
    """Where Razorpay is asked."""


class MailSettings(Group):
    """Which server letters to accounts go through: invoices, and notices of what is due."""

    address: str = ""
    """host:port of an SMTP server; empty: no mail is sent."""
    sender: str = ""
    """The address that letters come from; their name is the seller's, and answers go to its address."""
    username: str = ""
    """Who we are to it; empty: it asks nobody."""
    password_file: OptionalPath = None
    """A file with the password, read for each letter: it may be replaced while running."""
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """How the connection is made secret: by STARTTLS, from its first byte, or not at all, which forbids a username."""
    tls_ca: OptionalPath = None
    """A PEM file of the authorities that the server's certificate may come from; empty: the system's."""
    timeout: Annotated[Seconds, Field(gt=0, le=60)] = 30.0
    """How long handing over a letter may take, from connecting to the last answer."""
    enclose_pdf: bool = True
    """Whether invoices and credit notes come as PDFs, too, where the extra `tallygate[pdf]` is installed."""
    test_tenants: bool = False
    """Whether test tenants' letters are sent, too: with `testing` anybody opens one, and writes to whom he likes."""


class TaxSettings(Group):
    """Who is asked about tax ids."""

    vies_url: str = ""
    """VIES' REST service, https://ec.europa.eu/taxation_customs/vies/rest-api; empty: only persons verify tax ids."""
    vies_timeout: Annotated[Seconds, Field(gt=0, le=60)] = 4.0
    """How long it may take to answer before an id counts as not verified yet."""


class DocumentSettings(Group):
    """How documents are made."""

    font_dir: OptionalPath = None
    """A directory of fonts for PDFs in Chinese, Japanese, Korean and other scripts that typst brings none of."""


class LoggingSettings(Group):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is written; debug writes one a call."""
    format: Literal["json", "text"] = "json"
    """One JSON object a line, or text for people."""


class TracingSettings(Group):
    """Whether calls are followed (OpenTelemetry), and who is told."""

    endpoint: ReceiverUrl = ""
    """Which receiver spans go to, by OTLP over gRPC: http://host:4317 or https://...; empty: nothing is traced."""
    ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Which part of the calls is traced whose callers bring no trace; of the others their traces say it."""
    service_name: str = "tallygate"
    """What this installation is called there."""


class Settings(Group):
    """All settings of one process. Constructed by itself it is the defaults; `load` is what reads the world."""

    role: Literal["all", "data", "control", "worker"] = "all"
    """What this process does: the hot path, the catalogue and accounts, the background work, or all of it."""
    data_dir: HomePath = Path(".tallygate")
    """Where the embedded Valkey, SQLite and the context file live."""
    testing: bool = False
    """Whether any unknown well-formed key opens a fresh test tenant with a clock of its own; never in production."""
    bootstrap_key_file: OptionalPath = None
    """A file with the first key of an installation: its tenant is created if there is none yet."""
    server: ServerSettings = ServerSettings()
    redis: RedisSettings = RedisSettings()
    database: DatabaseSettings = DatabaseSettings()
    data_plane: DataPlaneSettings = DataPlaneSettings()
    collector: CollectorSettings = CollectorSettings()
    billing: BillingSettings = BillingSettings()
    mail: MailSettings = MailSettings()
    logging: LoggingSettings = LoggingSettings()
    tracing: TracingSettings = TracingSettings()
    tax: TaxSettings = TaxSettings()
    documents: DocumentSettings = DocumentSettings()
