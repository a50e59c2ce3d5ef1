"""Spans of submissions and handlers, if the application has set up OpenTelemetry."""
