"""One address for several servers of one installation, and for nobody else."""

import pytest

from tallygate.server import listeners
from tallygate.server.listeners import ListenError, bind_tcp, claim, parse_address, reserve


def test_a_reserved_port_is_shared_by_those_who_say_so_and_refused_to_all_others():
    reservation = reserve(parse_address("127.0.0.1:0"), 3)
    try:
        address = reservation.addresses[0]
        assert address.port > 0
        assert reservation.addresses == (address,) * 3
        with bind_tcp(address, shared=True) as first, bind_tcp(address, shared=True) as second:
            first.listen()
            second.listen()
            claim(address, shared=True)
            for refused in (lambda: claim(address), lambda: bind_tcp(address), lambda: reserve(address, 2)):
                with pytest.raises(ListenError, match="the port is in use"):
                    refused()
        with pytest.raises(ListenError, match="the port is in use"):
            reserve(address, 2)  # while no worker listens, too
    finally:
        reservation.close()
    reserve(address, 2).close()


def test_a_port_in_use_is_not_reserved():
    with bind_tcp(parse_address("127.0.0.1:0")) as taken:
        taken.listen()
        with pytest.raises(ListenError, match="the port is in use"):
            reserve(parse_address(f"127.0.0.1:{taken.getsockname()[1]}"), 2)


def test_unix_sockets_are_one_for_each(tmp_path):
    path = tmp_path / "grpc.sock"
    reservation = reserve(parse_address(f"unix:{path}"), 3)
    assert [address.target for address in reservation.addresses] == [f"unix:{path}{end}" for end in ("", ".1", ".2")]
    reservation.close()
    with pytest.raises(ListenError, match="longer than 107 bytes"):
        reserve(parse_address(f"unix:/{'x' * 105}"), 2)


def test_where_ports_cannot_be_shared_one_line_says_so(monkeypatch):
    monkeypatch.setattr(listeners, "_SPREADS_CONNECTIONS", False)
    with pytest.raises(ListenError, match="between workers: that needs Linux; choose one worker"):
        reserve(parse_address("127.0.0.1:7420"), 2)
