"""Types of the gRPC stubs: generated, do not edit."""

from collections.abc import AsyncIterator, Awaitable

import grpc
import grpc.aio
from tallygate_api.v1 import account_service_pb2 as _pb2

class AccountServiceStub:
    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None: ...
    UpsertAccount: grpc.UnaryUnaryMultiCallable[_pb2.UpsertAccountRequest, _pb2.UpsertAccountResponse]
    ImportAccounts: grpc.UnaryUnaryMultiCallable[_pb2.ImportAccountsRequest, _pb2.ImportAccountsResponse]
    GetAccount: grpc.UnaryUnaryMultiCallable[_pb2.GetAccountRequest, _pb2.GetAccountResponse]
    ListAccounts: grpc.UnaryUnaryMultiCallable[_pb2.ListAccountsRequest, _pb2.ListAccountsResponse]
    AddUsers: grpc.UnaryUnaryMultiCallable[_pb2.AddUsersRequest, _pb2.AddUsersResponse]
    RemoveUsers: grpc.UnaryUnaryMultiCallable[_pb2.RemoveUsersRequest, _pb2.RemoveUsersResponse]
    ListUsers: grpc.UnaryUnaryMultiCallable[_pb2.ListUsersRequest, _pb2.ListUsersResponse]
    AssignSeat: grpc.UnaryUnaryMultiCallable[_pb2.AssignSeatRequest, _pb2.AssignSeatResponse]
    UnassignSeat: grpc.UnaryUnaryMultiCallable[_pb2.UnassignSeatRequest, _pb2.UnassignSeatResponse]
    ListSeats: grpc.UnaryUnaryMultiCallable[_pb2.ListSeatsRequest, _pb2.ListSeatsResponse]
    CreateOverride: grpc.UnaryUnaryMultiCallable[_pb2.CreateOverrideRequest, _pb2.CreateOverrideResponse]
    ListOverrides: grpc.UnaryUnaryMultiCallable[_pb2.ListOverridesRequest, _pb2.ListOverridesResponse]
    DeleteOverride: grpc.UnaryUnaryMultiCallable[_pb2.DeleteOverrideRequest, _pb2.DeleteOverrideResponse]
    CreateGrant: grpc.UnaryUnaryMultiCallable[_pb2.CreateGrantRequest, _pb2.CreateGrantResponse]
    ListGrants: grpc.UnaryUnaryMultiCallable[_pb2.ListGrantsRequest, _pb2.ListGrantsResponse]
    RevokeGrant: grpc.UnaryUnaryMultiCallable[_pb2.RevokeGrantRequest, _pb2.RevokeGrantResponse]

class AccountServiceAsyncStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    UpsertAccount: grpc.aio.UnaryUnaryMultiCallable[_pb2.UpsertAccountRequest, _pb2.UpsertAccountResponse]
    ImportAccounts: grpc.aio.UnaryUnaryMultiCallable[_pb2.ImportAccountsRequest, _pb2.ImportAccountsResponse]
    GetAccount: grpc.aio.UnaryUnaryMultiCallable[_pb2.GetAccountRequest, _pb2.GetAccountResponse]
    ListAccounts: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListAccountsRequest, _pb2.ListAccountsResponse]
    AddUsers: grpc.aio.UnaryUnaryMultiCallable[_pb2.AddUsersRequest, _pb2.AddUsersResponse]
    RemoveUsers: grpc.aio.UnaryUnaryMultiCallable[_pb2.RemoveUsersRequest, _pb2.RemoveUsersResponse]
    ListUsers: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListUsersRequest, _pb2.ListUsersResponse]
    AssignSeat: grpc.aio.UnaryUnaryMultiCallable[_pb2.AssignSeatRequest, _pb2.AssignSeatResponse]
    UnassignSeat: grpc.aio.UnaryUnaryMultiCallable[_pb2.UnassignSeatRequest, _pb2.UnassignSeatResponse]
    ListSeats: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListSeatsRequest, _pb2.ListSeatsResponse]
    CreateOverride: grpc.aio.UnaryUnaryMultiCallable[_pb2.CreateOverrideRequest, _pb2.CreateOverrideResponse]
    ListOverrides: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListOverridesRequest, _pb2.ListOverridesResponse]
    DeleteOverride: grpc.aio.UnaryUnaryMultiCallable[_pb2.DeleteOverrideRequest, _pb2.DeleteOverrideResponse]
    CreateGrant: grpc.aio.UnaryUnaryMultiCallable[_pb2.CreateGrantRequest, _pb2.CreateGrantResponse]
    ListGrants: grpc.aio.UnaryUnaryMultiCallable[_pb2.ListGrantsRequest, _pb2.ListGrantsResponse]
    RevokeGrant: grpc.aio.UnaryUnaryMultiCallable[_pb2.RevokeGrantRequest, _pb2.RevokeGrantResponse]

class AccountServiceServicer:
    def UpsertAccount(self, request: _pb2.UpsertAccountRequest, context: grpc.aio.ServicerContext[_pb2.UpsertAccountRequest, _pb2.UpsertAccountResponse]) -> Awaitable[_pb2.UpsertAccountResponse]: ...
    def ImportAccounts(self, request: _pb2.ImportAccountsRequest, context: grpc.aio.ServicerContext[_pb2.ImportAccountsRequest, _pb2.ImportAccountsResponse]) -> Awaitable[_pb2.ImportAccountsResponse]: ...
    def GetAccount(self, request: _pb2.GetAccountRequest, context: grpc.aio.ServicerContext[_pb2.GetAccountRequest, _pb2.GetAccountResponse]) -> Awaitable[_pb2.GetAccountResponse]: ...
    def ListAccounts(self, request: _pb2.ListAccountsRequest, context: grpc.aio.ServicerContext[_pb2.ListAccountsRequest, _pb2.ListAccountsResponse]) -> Awaitable[_pb2.ListAccountsResponse]: ...
    def AddUsers(self, request: _pb2.AddUsersRequest, context: grpc.aio.ServicerContext[_pb2.AddUsersRequest, _pb2.AddUsersResponse]) -> Awaitable[_pb2.AddUsersResponse]: ...
    def RemoveUsers(self, request: _pb2.RemoveUsersRequest, context: grpc.aio.ServicerContext[_pb2.RemoveUsersRequest, _pb2.RemoveUsersResponse]) -> Awaitable[_pb2.RemoveUsersResponse]: ...
    def ListUsers(self, request: _pb2.ListUsersRequest, context: grpc.aio.ServicerContext[_pb2.ListUsersRequest, _pb2.ListUsersResponse]) -> Awaitable[_pb2.ListUsersResponse]: ...
    def AssignSeat(self, request: _pb2.AssignSeatRequest, context: grpc.aio.ServicerContext[_pb2.AssignSeatRequest, _pb2.AssignSeatResponse]) -> Awaitable[_pb2.AssignSeatResponse]: ...
    def UnassignSeat(self, request: _pb2.UnassignSeatRequest, context: grpc.aio.ServicerContext[_pb2.UnassignSeatRequest, _pb2.UnassignSeatResponse]) -> Awaitable[_pb2.UnassignSeatResponse]: ...
    def ListSeats(self, request: _pb2.ListSeatsRequest, context: grpc.aio.ServicerContext[_pb2.ListSeatsRequest, _pb2.ListSeatsResponse]) -> Awaitable[_pb2.ListSeatsResponse]: ...
    def CreateOverride(self, request: _pb2.CreateOverrideRequest, context: grpc.aio.ServicerContext[_pb2.CreateOverrideRequest, _pb2.CreateOverrideResponse]) -> Awaitable[_pb2.CreateOverrideResponse]: ...
    def ListOverrides(self, request: _pb2.ListOverridesRequest, context: grpc.aio.ServicerContext[_pb2.ListOverridesRequest, _pb2.ListOverridesResponse]) -> Awaitable[_pb2.ListOverridesResponse]: ...
    def DeleteOverride(self, request: _pb2.DeleteOverrideRequest, context: grpc.aio.ServicerContext[_pb2.DeleteOverrideRequest, _pb2.DeleteOverrideResponse]) -> Awaitable[_pb2.DeleteOverrideResponse]: ...
    def CreateGrant(self, request: _pb2.CreateGrantRequest, context: grpc.aio.ServicerContext[_pb2.CreateGrantRequest, _pb2.CreateGrantResponse]) -> Awaitable[_pb2.CreateGrantResponse]: ...
    def ListGrants(self, request: _pb2.ListGrantsRequest, context: grpc.aio.ServicerContext[_pb2.ListGrantsRequest, _pb2.ListGrantsResponse]) -> Awaitable[_pb2.ListGrantsResponse]: ...
    def RevokeGrant(self, request: _pb2.RevokeGrantRequest, context: grpc.aio.ServicerContext[_pb2.RevokeGrantRequest, _pb2.RevokeGrantResponse]) -> Awaitable[_pb2.RevokeGrantResponse]: ...

def add_AccountServiceServicer_to_server(
    servicer: AccountServiceServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
