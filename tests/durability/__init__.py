"""An acknowledged write is durable, and a failed one changes nothing: crashes, faults, traces."""
