import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TestClock(_message.Message):
    __slots__ = ("current_time", "offset", "standing")
    CURRENT_TIME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    current_time: _timestamp_pb2.Timestamp
    offset: _duration_pb2.Duration
    standing: bool
    def __init__(self, current_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., standing: _Optional[bool] = ...) -> None: ...

class GetTestClockRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetTestClockResponse(_message.Message):
    __slots__ = ("clock",)
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    clock: TestClock
    def __init__(self, clock: _Optional[_Union[TestClock, _Mapping[str, object]]] = ...) -> None: ...

class SetTestClockRequest(_message.Message):
    __slots__ = ("time", "standing")
    TIME_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    standing: bool
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ..., standing: _Optional[bool] = ...) -> None: ...

class SetTestClockResponse(_message.Message):
    __slots__ = ("clock", "view_version")
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    clock: TestClock
    view_version: int
    def __init__(self, clock: _Optional[_Union[TestClock, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...

class AdvanceTestClockRequest(_message.Message):
    __slots__ = ("duration", "to_time")
    DURATION_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    duration: _duration_pb2.Duration
    to_time: _timestamp_pb2.Timestamp
    def __init__(self, duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, object]]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, object]]] = ...) -> None: ...

class AdvanceTestClockResponse(_message.Message):
    __slots__ = ("clock", "view_version")
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    clock: TestClock
    view_version: int
    def __init__(self, clock: _Optional[_Union[TestClock, _Mapping[str, object]]] = ..., view_version: _Optional[int] = ...) -> None: ...
