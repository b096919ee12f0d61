"""The application."""

import os

from flask import Flask, jsonify, request

from shop.accounts.views import bp as accounts
from shop.catalog import all_products


def create_app() -> Flask:
    """A new application; its secret comes from the environment."""
    app = Flask(__name__)
    app.secret_key = os.environ["SHOP_SECRET_KEY"]
    app.config.update(
        SESSION_COOKIE_SECURE=True, SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax"
    )
    app.register_blueprint(accounts)

    @app.get("/products")
    def products():
        wanted = request.args.get("q", "")
        return jsonify([product.name for product in all_products(wanted)])

    return app
