"""What the receiver counts: frames, events, connections, and how long an answer took; nothing of anybody.

`/metrics` of the pages tells these too: `dispatch alarm` writes them into a folder of the home (see commands/alarm).
"""

from prometheus_client import Counter, Gauge, Histogram

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

frames = Counter("dispatch_alarm_frames", "Frames, by what became of them and why", ("result", "reason"))
events = Counter("dispatch_alarm_events", "Events that were kept, by what they mean", ("meaning",))
connections = Gauge("dispatch_alarm_connections", "Devices that are connected now", multiprocess_mode="livesum")
closed = Counter("dispatch_alarm_connections_closed", "Connections that the receiver ended, by why", ("why",))
answered = Histogram(
    "dispatch_alarm_answer_seconds",
    "Seconds from a whole frame to its answer, which is made after the commit",
    ("kind",),
    buckets=BUCKETS,
)
emergencies = Histogram(
    "dispatch_alarm_emergency_seconds",
    "Seconds from a whole frame of an emergency to its order, or the desk's alarm, in the database",
    buckets=BUCKETS,
)
