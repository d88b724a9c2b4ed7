"""Generate the Python client package from the protos: `python protos/generate.py`, or with `--check` only compare.

Needs no network and no installed protoc: the compiler and Google's protos come with grpcio-tools.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)
from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
PACKAGE = PROTOS.parent / "clients" / "python" / "tallygate_api"
GENERATED = ("v1", "envoy")
"""What of the package is generated: everything else in it is written by hand."""

_IMPORT = re.compile(r"^(from )(tallygate|envoy)(?=[. ])", re.MULTILINE)
_MODULE = re.compile(r"(?<=')(tallygate|envoy)(?=[\w.]+_pb2')")
_BARE_MAPPING = re.compile(r"\b_Mapping(?=\])")
_HOMES = {"tallygate": "tallygate_api", "envoy": "tallygate_api.envoy"}


def main() -> int:
    """Write the generated files, or with `--check` say which are out of date and return 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything is out of date")
    check = parser.parse_args().check
    wanted, present = generate(), committed()
    stale = sorted(path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path))
    if check:
        for path in stale:
            sys.stderr.write(f"out of date: {PACKAGE / path}\n")
        return 1 if stale else 0
    for path in stale:
        write(PACKAGE / path, wanted.get(path))
    return 0


def generate() -> dict[Path, str]:
    """Every generated file, by its path in the package."""
    with TemporaryDirectory() as directory:
        out = Path(directory)
        compile_protos(out)
        sources = {path.relative_to(out): path.read_text("utf-8") for path in out.rglob("*.py*")}
        image = FileDescriptorSet.FromString((out / "image").read_bytes())
    texts = {home(path): rewrite(text) for path, text in sources.items()}
    for file in image.file:
        if file.service:
            texts[home(Path(file.name.removesuffix(".proto") + "_pb2_grpc.pyi"))] = rewrite(stub_types(file))
    packages = {parent for path in texts for parent in path.parents} - {Path()}
    return texts | {package / "__init__.py": "" for package in packages}


def compile_protos(out: Path) -> None:
    """Run the compiler over all protos: messages, their types, gRPC stubs, and the descriptors."""
    protos = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    includes = [f"-I{PROTOS}", f"-I{files('grpc_tools') / '_proto'}"]
    outputs = [f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")]
    descriptors = ("--include_source_info", f"--descriptor_set_out={out / 'image'}")
    arguments = [*includes, *outputs, *descriptors, *protos]
    if protoc.main(["protoc", *arguments]):
        sys.exit("protoc failed")
    services = re.compile(r"^service ", re.MULTILINE)
    for proto in protos:
        if not services.search((PROTOS / proto).read_text("utf-8")):
            (out / proto).with_name(Path(proto).stem + "_pb2_grpc.py").unlink()


def home(path: Path) -> Path:
    """Where a generated file stands in the package: `tallygate/v1` at its top, `envoy` as it is."""
    return path.relative_to("tallygate") if path.parts[0] == "tallygate" else path


def rewrite(text: str) -> str:
    """Move imports and module names into the package, and complete what protoc leaves untyped.

    The descriptors keep their own file names.
    """
    text = _BARE_MAPPING.sub("_Mapping[str, object]", text)
    text = _IMPORT.sub(lambda match: match[1] + _HOMES[match[2]], text)
    return _MODULE.sub(lambda match: _HOMES[match[1]], text)


def committed() -> dict[Path, str]:
    """What stands in the package now."""
    paths = (path for folder in GENERATED for path in (PACKAGE / folder).rglob("*.py*") if path.suffix != ".pyc")
    return {path.relative_to(PACKAGE): path.read_text("utf-8") for path in paths}


def write(path: Path, text: str | None) -> None:
    """Write one file, or remove it."""
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def stub_types(file: FileDescriptorProto) -> str:
    """Types for a file's gRPC stubs, which protoc leaves untyped; `...AsyncStub` exists for type checkers only."""
    module = file.name.removesuffix(".proto").replace("/", ".") + "_pb2"
    package, name = module.rsplit(".", 1)
    head = [
        '"""Types of the gRPC stubs: generated, do not edit."""',
        "",
        "from collections.abc import AsyncIterator, Awaitable",
        "",
        "import grpc",
        "import grpc.aio",
        f"from {package} import {name} as _pb2",
    ]
    return "\n".join([*head, *(line for service in file.service for line in service_types(service))]) + "\n"


def service_types(service: ServiceDescriptorProto) -> Iterator[str]:
    """Types of one service: both stubs, the servicer, and how it is added to a server."""
    for stub, room in ((f"{service.name}Stub", "grpc"), (f"{service.name}AsyncStub", "grpc.aio")):
        channel = "grpc.aio.Channel" if room == "grpc.aio" else "grpc.Channel | grpc.aio.Channel"
        yield from ("", f"class {stub}:", f"    def __init__(self, channel: {channel}) -> None: ...")
        for method, shape, request, response in signatures(service.method):
            yield f"    {method}: {room}.Unary{shape}MultiCallable[{request}, {response}]"
    yield from ("", f"class {service.name}Servicer:")
    for method, shape, request, response in signatures(service.method):
        context = f"grpc.aio.ServicerContext[{request}, {response}]"
        answer = f"{'AsyncIterator' if shape == 'Stream' else 'Awaitable'}[{response}]"
        yield f"    def {method}(self, request: {request}, context: {context}) -> {answer}: ..."
    server = "grpc.Server | grpc.aio.Server"
    yield from ("", f"def add_{service.name}Servicer_to_server(")
    yield f"    servicer: {service.name}Servicer, server: {server}"
    yield ") -> None: ..."


def signatures(methods: Iterable[MethodDescriptorProto]) -> Iterator[tuple[str, str, str, str]]:
    """Name, shape of the answer, request and response of each method; both messages stand in the service's file."""
    for method in methods:
        request, response = (f"_pb2.{name.rsplit('.', 1)[1]}" for name in (method.input_type, method.output_type))
        yield method.name, "Stream" if method.server_streaming else "Unary", request, response


if __name__ == "__main__":
    sys.exit(main())
