// Empty: what ESPHome generates is told on the command line
