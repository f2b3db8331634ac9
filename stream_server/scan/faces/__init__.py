"""Who is who in a file: faces, their tracks and their pictures."""
