"""The command line: the first client of the wire. Speaks gRPC, except to start a server or make its first key."""
