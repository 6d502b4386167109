"""Real faults: the real processes of `dispatch up` are killed, frozen and wiped while orders flow."""
