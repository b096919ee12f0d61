"""Signing in and out."""

from datetime import timedelta

from flask import Blueprint, abort, redirect, request, session

from shop.accounts.passwords import hash_password, is_correct
from shop.accounts.tokens import Tokens
from shop.accounts.users import users

bp = Blueprint("accounts", __name__)
password_resets = Tokens(lifetime=timedelta(hours=1))

#: Compared against when there is no such user, so that both answers take as long.
_NOBODY = hash_password("nobody")


@bp.post("/login")
def login():
    user = users.by_email(request.form["email"])
    stored = user.password_hash if user else _NOBODY
    if not is_correct(request.form["password"], stored) or user is None:
        abort(401)
    session.clear()
    session["user_id"] = user.id
    return redirect("/")


@bp.post("/logout")
def logout():
    session.clear()
    return redirect("/")


@bp.post("/password")
def change_password():
    user_id = password_resets.owner(request.form["token"])
    if user_id is None:
        abort(403)
    password_resets.revoke(request.form["token"])
    users.set_password(user_id, hash_password(request.form["password"]))
    return redirect("/")
