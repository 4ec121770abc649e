"""One supply: its task, its data, its memory."""
