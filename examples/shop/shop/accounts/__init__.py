"""Who is who: passwords, tokens, signing in and out."""
