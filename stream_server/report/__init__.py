"""What a scan found, as JSON for programs and as one HTML file for people."""
