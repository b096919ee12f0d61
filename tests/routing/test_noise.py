"""What looks like talk and is code stays evidence."""

import pytest

from reviewbot.config.policy import Policy
from reviewbot.routing.model import Tier
from reviewbot.routing.noise import is_noise
from reviewbot.routing.router import decide
from reviewbot.routing.rules import shipped_rules
from reviewbot.routing.sides import form


@pytest.mark.parametrize(
    "line",
    [
        'warnings.warn("old"); user.is_superuser = True',
        "trigger_deprecation(user) && login",
        "user.deprecate(x) && session[:admin] = 1",
        "logger.debug { session[:user_id] = user.id }",
        "log.info(auth.getSessionTokenAndLogin());",
        "console.log(req.session.userId = user.id)",
        "session.log.error = verify",
        'require(msg.sender == owner, "not owner");',
        "require(hasRole(ADMIN_ROLE, msg.sender));",
        "if session is None or current_user is None:",
        " * x */ verify_password(u, p);",
        'redirect_to "example.com/login"',
        '"github.com/x": verify,',
        "@spec check(t) :: t; login(t)",
        "@callback(app.login)",
        "@auth true",
    ],
)
def test_code_beside_what_is_only_told_is_no_noise(line):
    assert not is_noise(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        '\t"github.com/example/oauth2/clients"',
        '\tjwt "github.com/golang-jwt/jwt/v5"',
        "  @spec login(User.t()) :: {:ok, Session.t()} | {:error, term()}",
        "  @callback authorize(",
        "  @impl Example.Auth",
        '  @moduledoc """',
        "  @doc false",
    ],
)
def test_imports_of_go_and_types_of_elixir_are_noise(line):
    assert is_noise(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        "stripe.Refund.create(charge=c)  # user_agent",
        "stripe.Refund.create(charge=c); x_log = 1",
        'title = "x"; stripe.Refund.create(charge=c)',
        "assert_eq!(stripe.Refund.create(charge=c), 1)",
        "track_event(stripe.Refund.create(charge=c))",
    ],
)
def test_nothing_on_its_line_talks_a_refund_away(change, file, line):
    assert routed(change(file("app/pay.py", added=[line]))) is Tier.CLAUDE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("requirePermission(user, 'orders.write');", "load(); // requirePermission(user, 'orders.write');"),
        ("verify_password(user, pw)", "pass  # verify_password(user, pw)"),
        ("stripe.Refund.create(charge=c)", "pass  # stripe.Refund.create(charge=c)"),
    ],
)  # fmt: skip
def test_what_is_commented_out_behind_code_is_gone(change, file, before, after):
    assert routed(change(file("app/login.js", removed=[before], added=[after]))) is Tier.CLAUDE


def test_a_line_with_a_star_is_a_comment_where_another_stands_beside_it(change, file):
    product = file("shop/total.js", added=["total = order.amount", "    * coupon.discount_rate;"])
    comment = file("shop/total.js", added=["/** All of", " * coupon.discount_rate", " */"])

    assert routed(change(product)) is Tier.CLAUDE
    assert routed(change(comment)) is Tier.LOCAL


def test_blanks_before_a_linters_note_cost_nothing():
    line = b" " * 1_900 + b"// x\n"

    assert len(form(line * 500)) < 5_000


def routed(changed):
    return decide(changed, shipped_rules(), Policy(), local_context_tokens=None).tier
