"""What a file is: by its name, by what the base commit says, never by what the change says."""

import pytest

from reviewbot.change.attributes import Attributes
from reviewbot.change.kinds import UNREAD, classify, language_of, says_generated, with_kinds
from reviewbot.change.model import Kind
from reviewbot.change.parse import parse_diff

BY_NAME = {
    Kind.LOCKFILE: """
        package-lock.json web/pnpm-lock.yaml yarn.lock bun.lockb poetry.lock uv.lock Cargo.lock go.sum
        composer.lock Gemfile.lock mix.lock Package.resolved ios/Podfile.lock pubspec.lock
        src/App/packages.lock.json infra/.terraform.lock.hcl flake.lock vendor/x/go.sum
    """,
    Kind.VENDORED: """
        vendor/github.com/x/y.go node_modules/left-pad/index.js third_party/zlib/inflate.c
        ios/Pods/Alamofire/Source.swift app/vendor/tests/x.rb .yarn/releases/yarn-4.cjs
    """,
    Kind.TEST: """
        tests/test_pay.py tests/app/migrations/0001_initial.py app/tests.py app/test_views.py
        conftest.py pkg/pay_test.go src/pay.test.tsx src/pay.spec.ts web/__tests__/pay.js
        spec/models/user_spec.rb test/models/user_test.rb test/pay_test.exs src/lib_test.rs
        src/test/java/PayTest.java src/main/java/PayTests.java PayIT.java src/PaySpec.kt
        tests/Feature/PayTest.php Shop.Tests/PayTests.cs Tests/PayTests/PayTests.swift
        cypress/pay.cy.ts app/test_pay.js e2e/pay.ts src/__snapshots__/x.snap testdata/golden.json pay_unittest.cc
        src/test/resources/db/migration/V1__x.sql tests/fixtures/package.json phpunit.ci.mysql.xml phpunit.xml.dist
    """,
    Kind.MIGRATION: """
        shop/migrations/0007_split_test.py shop/migrations/0001_initial.py
        db/migrate/20260105_add_paid.rb db/animals_migrate/20260105_x.rb db/schema.rb db/structure.sql
        alembic/versions/1975ea83b712_add.py migrations/versions/ae1027a6acf0_is_test.py
        api/versions/ae1027a6acf0_add.py src/main/resources/db/migration/V2__pay.sql V1_2__x.sql
        R__view.sql db/changelog/db.changelog-master.yaml liquibase/changes/001.xml
        prisma/migrations/2026_x/migration.sql prisma/schema.prisma
        priv/repo/migrations/20260105_add.exs database/migrations/2026_01_05_create.php
        database/schema/mysql-schema.sql Data/Migrations/20260105_Add.cs
        Data/Migrations/AppDbContextModelSnapshot.cs sql/migrations/00001_init.sql
        db/migrations/000001_init.up.sql db/000001_init.down.sql migrations/20260105_x.js
        src/migration/1700000000000-Add.ts src/migrations/Version20260105.php
        drizzle/0001_x.sql migrations/2026-01-05_x/up.sql internal/db/schema.sql ddl.sql
        migrations/20260105_add.go src/db/schema.rs
    """,
    Kind.GENERATED: """
        api/pay.pb.go api/pay_pb2.py api/pay_pb2.pyi api/pay_pb2_grpc.py web/pay_pb.js
        lib/pay.g.dart lib/pay.freezed.dart Form1.Designer.cs Data/Migrations/20260105_Add.Designer.cs
        src/schema.generated.ts zz_generated.deepcopy.go web/app.min.js web/app.js.map
        src/__generated__/graphql.ts .pnp.cjs drizzle/meta/0001_snapshot.json
    """,
    Kind.TRANSLATION: """
        locale/de/LC_MESSAGES/django.po config/locales/de.yml src/i18n/de.json
        app/src/main/res/values-de/strings.xml de.lproj/Localizable.strings lib/l10n/app_de.arb
        messages_de.properties Resources.de.resx lang/de/auth.php translations/messages.de.xlf
        static/i18n-messages/sw.json messages/en.json application/language/albanian/email_lang.php
    """,
    Kind.MANIFEST: """
        package.json web/package.json pyproject.toml setup.py requirements.txt requirements-dev.txt
        requirements/base.txt dev-requirements.txt go.mod Cargo.toml pom.xml app/build.gradle.kts
        gradle/libs.versions.toml src/App/App.csproj Shop.sln Directory.Packages.props composer.json
        Gemfile pay.gemspec mix.exs Package.swift Podfile pubspec.yaml CMakeLists.txt BUILD.bazel
        charts/pay/Chart.yaml .gitmodules docs/requirements.txt
    """,
    Kind.DOCS: """
        README.md docs/guide.rst docs/conf.py doc/pay.html LICENSE CHANGELOG.md src/pay/README.md
        guide.adoc newsfragments/12.feature AGENTS.md CHANGES.txt
    """,
    Kind.CONFIG: """
        .github/workflows/ci.yml config/app.toml settings.ini .env .env.production infra/main.tf
        prod.tfvars Dockerfile docker/api.Dockerfile compose.yaml Makefile tsconfig.json .eslintrc
        .eslintrc.js vite.config.ts application.properties nginx.conf Jenkinsfile .gitattributes
        App.config robots.txt web.xml deploy/pay.service tox.ini
    """,
    Kind.SOURCE: """
        app/pay.py src/pay.ts src/pay.tsx src/Pay.vue pay.go src/lib.rs Pay.java Pay.kt Pay.cs pay.php
        pay.rb lib/pay.ex Pay.swift pay.c pay.h pay.cpp reports.sql pay.sh templates/pay.html
        app/docs/page.tsx src/i18n/index.ts src/locales/pt/core.js src/lang/de.ts src/Latest.java src/Contest.kt attest.py latest_news.go dist/index.js
        allowlist.txt i18n/index.ts src/locale/parse.py app/migrations/__init__.py gradlew
        src/vendors.py db/seeds.rb lib/testing.py views/pay.ftl unknown.xyz no_extension bin/pay
        app/views/pay.arb config_qa.py api/versions/facade_x.py src/protest/x.py
    """,
}


@pytest.mark.parametrize(
    ("path", "kind"), [(path, kind) for kind, paths in BY_NAME.items() for path in paths.split()]
)
def test_a_name_tells_the_kind(path: str, kind: Kind) -> None:
    assert classify(path) is kind


def test_binary_is_what_shows_no_text_and_has_no_text_name() -> None:
    assert classify("logo.png", is_binary=True) is Kind.BINARY
    assert classify("data", is_binary=True) is Kind.BINARY
    assert classify("bun.lockb", is_binary=True) is Kind.LOCKFILE


def test_a_change_cannot_hide_code_by_calling_it_binary() -> None:
    # git shows no text of it if the change's own .gitattributes say `-diff`
    assert classify("app/login.py", is_binary=True) is Kind.SOURCE
    base = Attributes.parse("*.sql -diff\n")
    assert classify("dump.sql", is_binary=True, attributes=base) is Kind.BINARY
    assert classify("dump.sql", attributes=base) is Kind.SOURCE


@pytest.mark.parametrize(
    ("line", "path", "kind"),
    [
        ("api/** linguist-generated", "api/client.ts", Kind.GENERATED),
        ("api/** linguist-generated=true", "api/client.ts", Kind.GENERATED),
        ("*.pb.go -linguist-generated", "pay.pb.go", Kind.SOURCE),
        ("vendor/ours/** linguist-vendored=false", "vendor/ours/x.go", Kind.SOURCE),
        ("lib/jq.js linguist-vendored", "lib/jq.js", Kind.VENDORED),
        ("guide/** linguist-documentation", "guide/x.py", Kind.DOCS),
        ("docs/** -linguist-documentation", "docs/app.py", Kind.SOURCE),
        ("* linguist-generated", "db/migrate/1_x.rb", Kind.MIGRATION),
        ("* linguist-documentation", "setup.py", Kind.MANIFEST),
        ("tests/data/** linguist-generated", "tests/data/x.json", Kind.GENERATED),
    ],
)
def test_the_base_commits_attributes_count(line: str, path: str, kind: Kind) -> None:
    assert classify(path, attributes=Attributes.parse(line)) is kind


@pytest.mark.parametrize(
    "header",
    [
        "// Code generated by protoc-gen-go. DO NOT EDIT.",
        "# @generated by tool",
        "#!/bin/sh\n# This file was automatically generated, do not edit",
        "/*\n * AUTO-GENERATED FILE. DO NOT MODIFY.\n */",
        "// <auto-generated>\n",
        "<!-- Generated by tool; do not edit -->",
        "-- autogenerated",
    ],
)
def test_a_header_of_the_base_says_generated(header: str) -> None:
    assert says_generated(header)
    assert classify("client.ts", header=header) is Kind.GENERATED


@pytest.mark.parametrize(
    "header",
    [
        "",
        'HEADER = "Code generated by us. DO NOT EDIT."',
        "# Generates the invoice\n",
        "\n" * 20 + "# @generated",
        "# " + " " * 400 + "@generated",
    ],
)
def test_other_first_lines_do_not(header: str) -> None:
    assert not says_generated(header)


def test_what_runs_is_read_whatever_its_header_says() -> None:
    header = "# This file is autogenerated by pip-compile"

    assert classify("requirements.txt", header=header) is Kind.MANIFEST
    assert classify(".github/workflows/release.yml", header=header) is Kind.CONFIG
    assert classify("db/schema.rb", header=header) is Kind.MIGRATION


MARK = "// Code generated by us. DO NOT EDIT.\n"
HEAD = "diff --git a/x.go b/x.go\n"
MODIFIED = HEAD + "--- a/x.go\n+++ b/x.go\n"


@pytest.mark.parametrize(
    ("diff", "kind"),
    [
        (f"{MODIFIED}@@ -1,2 +1,2 @@\n {MARK}-a\n+b\n", Kind.GENERATED),
        (f"{MODIFIED}@@ -1 +1 @@\n-{MARK}+{MARK}", Kind.GENERATED),
        (f"{MODIFIED}@@ -1 +1,2 @@\n a\n+{MARK}", Kind.SOURCE),
        (f"{MODIFIED}@@ -1,2 +1 @@\n-{MARK} a\n", Kind.SOURCE),
        (f"{MODIFIED}@@ -30,2 +30,2 @@\n {MARK}-a\n+b\n", Kind.SOURCE),
        (f"{HEAD}new file mode 100644\n@@ -0,0 +1 @@\n+{MARK}", Kind.SOURCE),
        (f"{HEAD}deleted file mode 100644\n@@ -1 +0,0 @@\n-{MARK}", Kind.GENERATED),
        (f"{HEAD}copy from g.go\ncopy to x.go\n@@ -1 +1,2 @@\n {MARK}+login()\n", Kind.SOURCE),
        (f"{HEAD}rename from g.go\nrename to x.go\n@@ -1 +1,2 @@\n {MARK}+a\n", Kind.GENERATED),
    ],
    ids=["kept", "renewed", "added", "removed", "far down", "new", "deleted", "copied", "renamed"],
)
def test_a_header_counts_only_if_the_base_has_it(diff: str, kind: Kind) -> None:
    (file,) = parse_diff(diff).files

    assert file.kind is kind


def test_the_bases_text_shows_a_header_that_the_diff_does_not() -> None:
    diff = MODIFIED + "@@ -90 +90 @@\n-a\n+b\n"

    (unknown,) = parse_diff(diff).files
    (known,) = parse_diff(diff, base={"x.go": MARK + "package x\n"}).files

    assert (unknown.kind, known.kind) == (Kind.SOURCE, Kind.GENERATED)


def test_a_header_that_the_change_takes_out_does_not_count() -> None:
    diff = f"{MODIFIED}@@ -1,2 +1 @@\n-{MARK} package x\n"

    (file,) = parse_diff(diff, base={"x.go": MARK + "package x\n"}).files

    assert file.kind is Kind.SOURCE


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("app/login.py", "tests/login.py", Kind.SOURCE),
        ("app/login.py", "vendor/login.py", Kind.SOURCE),
        ("db/migrate/1_x.rb", "docs/x.rb", Kind.MIGRATION),
        ("tests/login.py", "app/login.py", Kind.SOURCE),
        ("tests/a.py", "docs/a.py", Kind.DOCS),
        ("app/a.py", "app/b.py", Kind.SOURCE),
    ],
)
def test_a_rename_hides_nothing(old: str, new: str, kind: Kind) -> None:
    assert classify(new, old_path=old) is kind
    diff = f"diff --git a/{old} b/{new}\nrename from {old}\nrename to {new}\n"
    assert parse_diff(diff).files[0].kind is kind


def test_attributes_that_the_change_adds_do_not_count() -> None:
    diff = (
        "diff --git a/.gitattributes b/.gitattributes\nnew file mode 100644\n--- /dev/null\n"
        "+++ b/.gitattributes\n@@ -0,0 +1 @@\n+* linguist-generated\n"
        "diff --git a/login.py b/login.py\n--- a/login.py\n+++ b/login.py\n@@ -1 +1 @@\n-a\n+b\n"
    )

    kinds = {file.path: file.kind for file in parse_diff(diff).files}

    assert kinds == {".gitattributes": Kind.CONFIG, "login.py": Kind.SOURCE}


def test_kinds_can_be_told_again_when_the_base_is_known() -> None:
    diff = "diff --git a/api/x.py b/api/x.py\n--- a/api/x.py\n+++ b/api/x.py\n@@ -1 +1 @@\n-a\n+b\n"
    change = parse_diff(diff)

    again = with_kinds(change, attributes=Attributes.parse("api/* linguist-generated"))

    assert [file.kind for file in change.files] == [Kind.SOURCE]
    assert [file.kind for file in again.files] == [Kind.GENERATED]
    assert with_kinds(again).files == change.files


def test_what_rules_read_by_default_is_never_unread() -> None:
    assert UNREAD.isdisjoint({Kind.SOURCE, Kind.CONFIG, Kind.MANIFEST, Kind.MIGRATION})


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/x.py", "python"),
        ("x.tsx", "tsx"),
        ("Cargo.toml", "toml"),
        ("package.json", "json"),
        ("n.ipynb", "jupyter"),
        ("Dockerfile", "dockerfile"),
        ("x.h", "c"),
        ("x.sql", "sql"),
        ("x.unknown", None),
        ("x", None),
    ],
)
def test_the_language_is_identifys_tag(path: str, language: str | None) -> None:
    assert language_of(path) == language
