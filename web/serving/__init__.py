"""The process that serves: its sockets, workers, lanes and limits, and what it does beside."""
