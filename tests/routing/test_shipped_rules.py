"""The rules that come with reviewbot keep what their examples promise."""

from typing import Any

import pytest

from reviewbot.config.policy import Policy
from reviewbot.routing.examples import missing_examples, run_examples
from reviewbot.routing.model import Tier
from reviewbot.routing.router import decide
from reviewbot.routing.rules import load_rules, shipped_rules


def test_every_shipped_example_holds_and_every_rule_has_both_kinds():
    assert run_examples(shipped_rules()) == []
    assert missing_examples(shipped_rules()) == []


def test_they_cover_three_areas_and_an_optional_one_and_name_their_files():
    rules = shipped_rules()

    assert set(rules.areas) == {"auth", "payments", "migrations", "complexity"}
    assert [name for name, area in rules.areas.items() if area.optional] == ["complexity"]
    assert {rule.source for rule in rules.rules} == {f"rules/{area}.yml" for area in rules.areas}
    assert all(rule.id.startswith(rule.area + ".") for rule in rules.rules)


def test_an_example_that_fails_says_which_rule_and_text():
    rules = load_rules(
        {
            "a.yml": "area: a\ntitle: A\nrules:\n  - id: a.b\n    why: w\n    added: [x]\n    examples:\n"
            "      match: [{path: a.py, added: y}]\n      ignore: [{path: a.py, added: x}, {path: a.md, added: x}]\n"
        }
    )

    assert [str(failure) for failure in run_examples(rules)] == [
        "a.yml: a.b: does not match a.py: y",
        "a.yml: a.b: must not match a.py: x",
    ]


def test_a_rule_without_examples_is_told():
    rules = load_rules({"a.yml": "area: a\ntitle: A\nrules:\n  - {id: a.b, why: w, added: [x]}\n"})

    assert [failure.problem for failure in missing_examples(rules)] == [
        "has no `match` example",
        "has no `ignore` example",
    ]


RISKY = [
    ("app/helpers.py", "-", "    if not user.has_permission('edit'): raise Forbidden", "auth"),
    ("app/Http/Kernel.php", "-", "        VerifyCsrfToken::class,", "auth"),
    ("src/session.ts", "+", "  res.cookie('sid', id, { httpOnly: false, sameSite: 'none' });", "auth"),
    ("app/controllers/users_controller.rb", "-", "  before_action :authenticate_user!", "auth"),
    ("internal/api/router.go", "+", "claims, err := jwt.Parse(raw, keyFunc)", "auth"),
    ("src/main/java/Sec.java", "+", "http.authorizeHttpRequests(a -> a.anyRequest().permitAll());", "auth"),
    ("src/Controllers/Home.cs", "+", "[AllowAnonymous]", "auth"),
    ("lib/accounts.ex", "+", "Bcrypt.verify_pass(password, user.hash)", "auth"),
    ("src/auth.rs", "+", "let hash = argon2.hash_password(raw.as_bytes(), &salt)?;", "auth"),
    ("config/settings.py", "+", "SESSION_COOKIE_SECURE = False", "auth"),
    ("lib/web/router.ex", "-", "    pipe_through [:browser, :require_authenticated_user]", "auth"),
    ("src/server/post.ts", "-", "  remove: protectedProcedure.mutation(({ ctx }) => drop(ctx)),", "auth"),
    ("app/main.py", "-", "def read(user: User = Depends(get_current_user)):", "auth"),
    ("app/controllers/login_controller.rb", "-", "    return redirect_to '/' unless @user.active?", "auth"),
    ("config/permissions/editor.yml", "+", "  delete: true", "auth"),
    ("infra/main.tf", "+", 'resource "aws_iam_role_policy" "worker" {', "auth"),
    ("app/orders.py", "+", "refund = stripe.Refund.create(charge=order.charge_id)", "payments"),
    ("src/Order.php", "+", "$user->newSubscription('default', $price)->trialDays(14)->create($method);", "payments"),
    ("app/models/invoice.rb", "+", "self.total_cents = (subtotal_cents * tax_rate).round", "payments"),
    ("src/cart.ts", "+", "const discountAmount = coupon.percentOff * subtotal;", "payments"),
    ("billing/usage.go", "+", "invoice.AmountDue = int64(math.Round(total * 100))", "payments"),
    ("hooks/stripe.py", "+", "event = stripe.Webhook.construct_event(body, signature, secret)", "payments"),
    ("src/Sums.java", "+", "return value.setScale(2, RoundingMode.HALF_UP);", "payments"),
    ("src/Entity/Item.php", "+", "    #[ORM\\Column(length: 255)]", "migrations"),
    ("db/Procedures/Items.sql", "+", "CREATE OR ALTER PROCEDURE dbo.Items AS", "migrations"),
    ("src/store.py", "+", '    STEPS = ["ALTER TABLE users ADD COLUMN theme text"]', "migrations"),
    ("db/migrate/20240101000000_add_plan.rb", "+", "add_column :users, :plan, :string", "migrations"),
    ("shop/migrations/0007_price.py", "+", "migrations.RunPython(fill)", "migrations"),
    ("internal/database/steps.go", "+", "ALTER TABLE users ADD COLUMN theme text", "migrations"),
    ("prisma/schema.prisma", "+", "  plan String?", "migrations"),
    ("src/main/resources/db/migration/V7__plan.sql", "+", "ALTER TABLE users ADD plan text;", "migrations"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "side", "line", "area"), RISKY)
def test_one_risky_line_in_a_dozen_languages_is_flagged(
    change: Any, file: Any, path: str, side: str, line: str, area: str
):
    added, removed = ([line], []) if side == "+" else ([], [line])

    route = decide(
        change(file(path, added, removed)), shipped_rules(), Policy(), local_context_tokens=None
    )

    assert route.tier is Tier.CLAUDE
    assert area in route.areas


HARMLESS = [
    ("app/authors.py", "authors = sorted(book.authors)"),
    ("app/lexer.py", "token = self.next_token()"),
    ("app/ui.tsx", "<Checkbox checked={checked} />"),
    ("app/db.py", "session = sessionmaker(bind=engine)"),
    ("app/http.py", "with requests.Session() as session:"),
    ("app/events.ts", "this.subscription = this.bus.subscribe(handler);"),
    ("app/battery.py", "level = battery.charge"),
    ("app/geo.py", "latitude, longitude = parse(text)"),
    ("app/styles/login.css", ".login { color: red }"),
    ("locale/de/login.po", 'msgid "Log in"'),
    ("CHANGELOG.md", "Fixed login and refunds"),
    (".github/workflows/ci.yml", "      password: ${{ secrets.TOKEN }}"),
    ("app/report.py", 'rows = db.query("SELECT * FROM reports")'),
    ("app/table.ts", 'const title = "Create table of contents";'),
    ("app/tax.py", "# tax_rate * price is rounded elsewhere"),
    ("tests/test_pay.py", "stripe.Charge.create(amount=1)"),
    ("billing/src/util/lists/Lists.java", "return items;"),
    ("src/routes/_authenticated+/charts.tsx", "return <Chart data={data} />"),
    ("app/views.py", 'flash("Your password could not be changed")'),
    ("src/Api.cs", "[ProducesResponseType(typeof(Item), 200)]"),
    ("src/jobs.py", "await run(cancellation_token)"),
    ("src/lb.go", "balance := weights.next()"),
    ("db/schema.rb", "ActiveRecord::Schema[8.0].define(version: 2025_01_02_030405) do"),
    ("src/forms.py", "    class Meta:"),
    ("src/page.tsx", 'href="https://docs.better-auth.com/oauth2/login"'),
    ("src/Login.php", "        Log::debug('password_reset for ' . $user->id);"),
    ("src/index.cs", "\ufeffusing System.Identity;"),
    ("dist/assets/login-03f2820b.js", "login(user)"),
    ("src/session/Sessions.java", 'log.debug("Forgets session " + session);'),
    ("src/session/Sessions.java", "if (log.isDebugEnabled()) {"),
    ("lib/auth.rb", "autoload :OAuth2, 'strategies/oauth2'"),
    ("src/lib.rs", "pub use crate::oauth2::AccessToken;"),
    ("src/types/generated/Payment.ts", "payment_method: string"),
    ("internal/mocks/storage.go", "func (m *Mock) CheckUserPassword(name string) error {"),
    (".buildkite/hooks/push", "docker login -u user -p $ACCESS_TOKEN"),
    ("app/Http/HomeController.php", "        $id = Auth::user()->id;"),
]


@pytest.mark.parametrize(("path", "line"), HARMLESS)
def test_one_harmless_line_is_not_flagged(change: Any, file: Any, path: str, line: str):
    route = decide(change(file(path, [line])), shipped_rules(), Policy(), local_context_tokens=None)

    assert route.tier is not Tier.CLAUDE


def test_what_a_formatter_does_is_no_evidence(change: Any, file: Any):
    before = ["if (has_permission(user, 'edit') and session['user_id']):"]
    after = ["if (", '    has_permission(user, "edit")', '    and session["user_id"]', "):"]

    formatted = decide(
        change(file("app/views.py", after, before)),
        shipped_rules(),
        Policy(),
        local_context_tokens=None,
    )
    turned = decide(
        change(file("app/views.py", [after[0], "    not", *after[1:]], before)),
        shipped_rules(),
        Policy(),
        local_context_tokens=None,
    )

    assert formatted.tier is Tier.LOCAL
    assert turned.tier is Tier.CLAUDE


def test_a_doubtful_area_is_named_beside_a_sure_one(change: Any, file: Any):
    route = decide(
        change(
            file("app/pay.py", ["stripe.Refund.create(charge=charge)"]),
            file("app/models.py", ["    name = models.CharField(max_length=9)"]),
        ),
        shipped_rules(),
        Policy(),
        local_context_tokens=None,
    )

    assert route.areas == ("migrations", "payments")
    assert route.certainty == "sure"
    assert route.file("app/models.py").areas == ("migrations",)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("src/Pay.cs", "using var r = await stripeClient.ChargeAsync(customer, amount);"),
        ("src/pay.js", 'console.log(""); stripe.charges.create({amount}); login(user)'),
        ("src/pay.py", "logger.info(stripe.Charge.create(amount=total))"),
        ("src/Login.java", 'log.info("now " + users.login(name).getName());'),
        ("src/Login.java", "if (log.isDebugEnabled() || user.isAdmin()) {"),
        ("src/auth.graphql.ts", "if (!user.isAuthenticated()) throw new Error()"),
        ("src/go.ts", "const url = `https://x/${passport.authenticate(user)}`"),
    ],
)
def test_code_beside_what_is_no_evidence_stays_evidence(
    change: Any, file: Any, path: str, line: str
):
    route = decide(change(file(path, [line])), shipped_rules(), Policy(), local_context_tokens=None)

    assert route.tier is Tier.CLAUDE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            ['if not user.is_authenticated: raise PermissionDenied("x")'],
            ['if not "user.is_authenticated":', '    raise PermissionDenied("x")'],
        ),
        (
            ["if (!user.isAuthenticated()) return deny(user.role);"],
            ["if (!user.isAuthenticated()) {}", "return deny([user.role]);"],
        ),
    ],
)
def test_a_check_that_is_switched_off_by_signs_is_no_new_layout(
    change: Any, file: Any, before: list[str], after: list[str]
):
    route = decide(
        change(file("src/a.js", after, before)),
        shipped_rules(),
        Policy(),
        local_context_tokens=None,
    )

    assert route.tier is Tier.CLAUDE
