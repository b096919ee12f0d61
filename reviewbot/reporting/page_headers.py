"""What every answer to a browser says of how its page may be used."""


def page_headers(
    nonce: str, *, form_action: str = "'self'", referrer: str = "no-referrer"
) -> dict[str, str]:
    """Nothing from elsewhere, nothing around it, nothing kept. `nonce` is that of the page's own
    style, empty for what is no page; forms go to `form_action` alone."""
    styles = f"'nonce-{nonce}'" if nonce else "'none'"
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src {styles};"
        f" form-action {form_action}; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": referrer,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
