"""Tallygate's wire contract in Python: messages and gRPC stubs; needs grpcio and protobuf alone."""
