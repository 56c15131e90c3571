"""The gate: password, second factor, setting one up, recovery, and back to what one was doing."""
