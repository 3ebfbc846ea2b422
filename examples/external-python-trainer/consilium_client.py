"""The training protocol of Consilium, version 1, in plain Python: copy this file beside your training code.

    from consilium_client import connect

    site = connect()                              # before anything prints
    for task in site.tasks():
        if task.kind == "validate":
            task.reply(metrics={"val_loss": score(task.torch())})
        else:
            task.reply(weights=train(task.torch()), metrics={}, steps=10)

Standard output belongs to the protocol: what you print goes to the log of the site. Weights and states may hold tensors of
torch, arrays of numpy, or `Tensor` of this module; neither package is needed. The protocol is specified in
docs/reference/trainer-protocol.md.
"""

import ctypes
import json
import os
import queue
import struct
import sys
import threading
from collections import namedtuple

PROTOCOL = 1
MAGIC = b"\xffCF\x01"
CORRECTION = "correction/"
PREFIX = struct.Struct("<4sIQ")
DTYPES = {
    "F32": "float32", "F64": "float64", "I8": "int8", "U8": "uint8", "I16": "int16", "U16": "uint16",
    "I32": "int32", "U32": "uint32", "I64": "int64", "U64": "uint64", "BOOL": "bool",
}  # fmt: skip
CODES = {name: code for code, name in DTYPES.items()}

Tensor = namedtuple("Tensor", "dtype shape data")
Tensor.__doc__ = 'dtype: a name such as "float32"; shape: a tuple; data: bytes, little-endian, in C order.'


class Site:
    """The site that this program trains for. `state` is what `save_state` kept, a dict of Tensor; empty at first."""

    def __init__(self, source, sink):
        self._source, self._sink, self._lock = source, sink, threading.Lock()
        hello, payload = read_frame(source)
        self.send({"type": "hello", "protocol": PROTOCOL})
        if hello["type"] != "hello" or hello["protocol"] != PROTOCOL:
            sys.exit("consilium_client speaks version %d of the protocol, but got %r" % (PROTOCOL, hello))
        self.name, self.job, self.folder = hello["site"], hello["job"], hello["folder"]
        self.config, self.seed, self.rounds = hello["config"], hello["seed"], hello["rounds"]
        self.state = decode(payload)
        self.aborted = threading.Event()
        self._tasks = queue.Queue()
        threading.Thread(target=self._receive, daemon=True).start()

    def tasks(self):
        """The tasks, until the run ends. Reply to each before you take the next."""
        while True:
            task = self._tasks.get()
            if task is None:
                return
            yield task
            if not task.replied and not self.aborted.is_set():
                raise RuntimeError("the %s task of round %d was not replied to" % (task.kind, task.round))

    def save_state(self, tensors):
        """Keeps what later rounds depend on besides the model. Call it before the reply."""
        self.send({"type": "state"}, encode(tensors))

    def log(self, message):
        self.send({"type": "log", "message": str(message)})

    def send(self, header, payload=b""):
        text = json.dumps(header, allow_nan=False).encode()
        with self._lock:
            self._sink.write(PREFIX.pack(MAGIC, len(text), len(payload)) + text)
            self._sink.write(payload)
            self._sink.flush()

    def _receive(self):
        """Reads ahead, so that an abort is seen in the middle of a task, and the end of the site at once."""
        try:
            while True:
                header, payload = read_frame(self._source)
                if header["type"] == "task":
                    self._tasks.put(Task(self, header, decode(payload)))
                else:  # bye or abort
                    if header["type"] == "abort":
                        self.aborted.set()
                    return self._tasks.put(None)
        except EOFError:
            os._exit(1)  # The site is gone, and nobody waits for what is being done.


class Task:
    """What to do. `kind` is "train" or "validate", `round` counts from 0, `model` is a dict of Tensor by name.

    `settings` is what the algorithm wants, such as {"proximalMu": 0.01} for FedProx, or None. `correction` is what to add to
    the gradient of each parameter, as tensors by its name (SCAFFOLD), or None.
    """

    def __init__(self, site, header, model):
        self._site, self._id = site, header["id"]
        self.kind, self.round, self.settings = header["kind"], header["round"], header.get("settings")
        self.model, self.correction = model, None
        if header.get("correction"):
            names = [name for name in model if name.startswith(CORRECTION)]
            self.correction = {name[len(CORRECTION) :]: model.pop(name) for name in names}
        self.replied = False

    @property
    def aborted(self):
        """Whether the task was given up: end soon, it is over in a second."""
        return self._site.aborted.is_set()

    def torch(self):
        """The model as tensors of torch, ready for `load_state_dict`."""
        import torch

        tensors = {}
        for name, (dtype, shape, data) in self.model.items():
            kind = getattr(torch, dtype)
            # Buffers of no bytes are refused by frombuffer.
            flat = torch.frombuffer(bytearray(data), dtype=kind) if data else torch.empty(0, dtype=kind)
            tensors[name] = flat.reshape(shape)
        return tensors

    def numpy(self):
        """The model as arrays of numpy."""
        import numpy

        model = self.model.items()
        return {name: numpy.frombuffer(data, dtype).reshape(shape).copy() for name, (dtype, shape, data) in model}

    def progress(self, done, total, loss=None):
        self._site.send({"type": "progress", "id": self._id, "done": done, "total": total, "loss": loss})

    def reply(self, weights=None, metrics=None, steps=None):
        """Replies, once: to "train" with weights and steps, to "validate" with metrics."""
        if self.replied:
            raise RuntimeError("the %s task of round %d was replied to already" % (self.kind, self.round))
        header = {"type": "reply", "id": self._id, "metrics": metrics or {}}
        if self.kind == "train":
            header["steps"] = steps
        self._site.send(header, encode(weights) if self.kind == "train" else b"")
        self.replied = True


def connect():
    """Takes standard input and output for the protocol, and greets the site. An error that ends the program is told to it."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # From here on, what anybody prints goes to standard error.
    site = Site(os.fdopen(os.dup(0), "rb"), sink)

    def tell(kind, error, trace):
        sys.__excepthook__(kind, error, trace)
        sys.stderr.flush()
        site.send({"type": "error", "message": "%s: %s" % (kind.__name__, error)})

    sys.excepthook = tell
    return site


def read_frame(source):
    magic, header, payload = PREFIX.unpack(read_exactly(source, PREFIX.size))
    if magic != MAGIC:
        raise ValueError("standard input holds something other than frames: is this started by Consilium?")
    return json.loads(read_exactly(source, header)), read_exactly(source, payload)


def read_exactly(source, count):
    data = source.read(count)
    if len(data) < count:
        raise EOFError
    return data


def encode(tensors):
    """Tensors by name as a safetensors file."""
    header, parts, end = {}, [], 0
    for name, value in tensors.items():
        dtype, shape, data = plain(value)
        header[name] = {"dtype": CODES[dtype], "shape": list(shape), "data_offsets": [end, end + len(data)]}
        parts.append(data)
        end += len(data)
    text = json.dumps(header).encode()
    return b"".join([struct.pack("<Q", len(text)), text, *parts])


def decode(data):
    """A safetensors file as Tensor by name."""
    if not data:
        return {}
    begin = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:begin])
    header.pop("__metadata__", None)
    tensors = {}
    for name, one in header.items():
        start, end = one["data_offsets"]
        tensors[name] = Tensor(DTYPES[one["dtype"]], tuple(one["shape"]), data[begin + start : begin + end])
    return tensors


def plain(value):
    """A tensor of torch, an array of numpy or a Tensor, as a Tensor."""
    if isinstance(value, Tensor):
        return value
    if hasattr(value, "detach"):  # torch, which may be there without numpy
        value = value.detach().cpu().contiguous()
        size = value.numel() * value.element_size()
        data = ctypes.string_at(value.data_ptr(), size) if size else b""
        return Tensor(str(value.dtype).replace("torch.", ""), tuple(value.shape), data)
    return Tensor(str(value.dtype), tuple(value.shape), value.tobytes())
