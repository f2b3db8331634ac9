"""How many samples a verdict may look back on."""

MIN_WINDOW, MAX_WINDOW = 8, 100
