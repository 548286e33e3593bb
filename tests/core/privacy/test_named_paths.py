"""Which paths a command, a text or an argument names, and where a path lies."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import Conversation, Message, Prose, ToolCall
from gateway.core.privacy.commands import words
from gateway.core.privacy.folders import absolute, is_private, label_of, plain_roots
from gateway.core.privacy.named_paths import NamedPaths, named_paths
from gateway.core.privacy.units import contents


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("cat src/a.py /etc/passwd", ["src/a.py", "/etc/passwd"]),
        ("cat '/home/me/My Project/a.py'", ["/home/me/My Project/a.py"]),
        ('cat /ho"me"/x.py', ["/home/x.py"]),
        (r"cat /srv/my\ files/x.py", ["/srv/my files/x.py"]),
        ("pytest --cov=src/app -q tests/x.py", ["src/app", "tests/x.py"]),
        ("tar --file=/srv/x.tar -x", ["/srv/x.tar"]),
        ("dd if=/dev/sda of=out.img", ["/dev/sda", "out.img"]),
        ("curl https://example.org/a/b -o out.html", ["out.html"]),
        ("cat $HOME/x", ["$HOME/x"]),
        ("cat `pwd`/x", ["/x"]),
        ("sed -i 's/a\\/b/c/g' src/a.py", ["src/a.py"]),
        ('sed -i "s|from ../../x/|from ./x/|" src/a.py', ["src/a.py"]),
        (r'grep -rn "from \"\.\./" src/', ["src/"]),
        ("awk '/start/ {print $1}' a.txt", ["a.txt"]),
        ("python -c \"print(open('/srv/x/y').read())\"", ["/srv/x/y"]),
        ("cat > src/a.js <<'EOF'\n// see ../../b\nimport x from '../c'\nEOF\nls dist/", ["src/a.js", "dist/"]),
        ("cat <<EOF > /srv/x/out.txt\nread /srv/y/z.txt\nEOF", ["/srv/y/z.txt", "/srv/x/out.txt"]),
        ("# look at /srv/x\nls src/", ["src/"]),
        ("ls && cd ..", [".."]),
        ("cp a.py C:\\Users\\me\\a.py", ["a.py", "C:Usersmea.py"]),
    ],
)
def test_words_of_a_command(command: str, named: Sequence[str]) -> None:
    assert list(words(command)) == named


@given(st.text(max_size=200))
def test_any_command_is_taken_apart(command: str) -> None:
    assert all(isinstance(each, str) for each in words(command))


def paths(*messages: Message) -> NamedPaths:
    return named_paths(contents(Conversation(model="m", messages=messages)).units, {})


def said(text: str, role: str = "user") -> Message:
    return Message(role=role, content=(Prose(text),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("Working directory: /home/me/x", "/home/me/x"),
        ("  Current working directory is `/home/me/x`", "/home/me/x"),
        ("<cwd>/home/me/x</cwd>", "/home/me/x"),
        ("  Workspace root folder: C:\\Users\\me", "C:\\Users\\me"),
        ("cwd: ~/x", "~/x"),
    ],
)
def test_folders_that_a_conversation_works_in(text: str, folder: str) -> None:
    assert paths(said(text, "system")).folders == (folder,)


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("src/a.py\n```python\nx\n```", ("src/a.py",)),
        ("```python src/a.py\nx\n```", ("src/a.py",)),
        ("--- a/src/a.py\n+++ b/src/b.py\n", ("src/a.py", "src/b.py")),
        ("*** Update File: src/a.py\n", ("src/a.py",)),
        ('<file path="src/a.py">', ("src/a.py",)),
        ("--- Context from: src/a.md ---", ("src/a.md",)),
        ('const x = `<file name="${path}">`', ()),
        ("the file src/a.py is old", ()),
    ],
)
def test_files_that_a_text_heads(text: str, files: Sequence[str]) -> None:
    assert paths(said(text)).files == files


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        ({"file_path": "a"}, ("a",)),
        ({"filePath": "src/a.py", "content": "import x\n# /srv/y"}, ("src/a.py",)),
        ({"paths": ["a.py", "b.py"]}, ("a.py", "b.py")),
        ({"edits": [{"path": "a.py"}]}, ("a.py",)),
        ({"anything": "/srv/x/y.txt"}, ("/srv/x/y.txt",)),
        ({"old": "// a comment", "new": "/* another */"}, ()),
        ({"query": "/new command"}, ()),
        ({"url": "https://example.org/a"}, ()),
        ({"uri": "file:///srv/x"}, ("file:///srv/x",)),
        ({"command": "cat /srv/x"}, ("/srv/x",)),
    ],
)
def test_files_that_a_call_names(arguments: object, files: Sequence[str]) -> None:
    call = ToolCall(id="c", name="t", arguments=json.dumps(arguments))
    assert paths(Message(role="assistant", calls=(call,))).files == files


def test_arguments_that_are_no_json_are_read_as_a_command() -> None:
    call = ToolCall(id="c", name="t", arguments='{"path": "/srv/x')
    assert "/srv/x" in "".join(paths(Message(role="assistant", calls=(call,))).files)


BASE = ("/home/me/x",)


@pytest.mark.parametrize(
    ("path", "lies"),
    [
        ("/a/b", "/a/b"), ("/a//b/./c/", "/a/b/c"), ("a.py", "/home/me/x/a.py"), ("./a.py:12", "/home/me/x/a.py"),
        ("../y/a.py", "/home/me/y/a.py"), ("../../../../a", None), ("/a/../b", None), ("a/../../b", None), ("$HOME/a", None),
        ("~other/a", None), ("~/a", "~/a"), ("src/*.py", "/home/me/x/src"), ("%2e%2e/a", None), ("C:\\Work\\A", "/c:/work/a"),
        ("\\\\host\\share\\a", "//host/share/a"), ("file:///a/b", "/a/b"), ("a\x00b", None), ("／etc／passwd", None), ("", None),
    ],
)  # fmt: skip
def test_where_a_path_lies(path: str, lies: str | None) -> None:
    assert absolute(path, BASE) == (None if lies is None else (lies,))


def test_a_relative_path_lies_below_every_folder_and_nowhere_without_one() -> None:
    assert absolute("a", ("/x", "/y")) == ("/x/a", "/y/a")
    assert absolute("a", ()) is None
    assert absolute("a", ("/x", "$Y")) is None


@given(st.lists(st.sampled_from(["a", "b", "..", ".", ""]), max_size=8).map("/".join))
def test_no_path_below_a_root_gets_out_of_it(path: str) -> None:
    for lies in absolute(f"/root/{path}", ()) or ():
        assert lies == "/root" or lies.startswith("/root/")


def test_the_innermost_root_counts() -> None:
    roots = plain_roots({"/a": "cloud-ok", "/a/b": "local", "/a/b/c": "redact", "not absolute": "redact"})
    found = [label_of(path, roots) for path in ("/a/x", "/a/b/x", "/a/b/c/x", "/ab", "/a")]
    assert found == ["cloud-ok", "local", "redact", None, "cloud-ok"]


def test_private_files_by_name_and_by_the_end_of_their_path() -> None:
    private, harmless = (".env", "*.pem", ".ssh/*"), ("*.example", "*.pub")
    for path in (".env", "/a/.env", "a\\b\\.ENV", "x.pem", "/home/me/.ssh/config", ".env:3"):
        assert is_private(path, private, harmless), path
    for path in ("env", "x.pem.example", ".ssh/id.pub", "my.env.py"):
        assert not is_private(path, private, harmless), path
