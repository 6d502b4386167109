"""The receiver of alarm devices, over real sockets."""
