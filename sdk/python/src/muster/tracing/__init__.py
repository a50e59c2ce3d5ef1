"""Spans of submissions and handlers, for applications that have set up OpenTelemetry; for others there are none."""
