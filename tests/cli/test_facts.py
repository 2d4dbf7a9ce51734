"""check, summary, list and show, as functions of their arguments."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import archbuilder
from archbuilder.language.networks import network_names

from .conftest import GOOD, Run

STAGES = """\
name    block                       repeats  inner  width  output
stem    conv 3×3                          1      –      8  8×32×32
layer1  basic                             2      8      8  8×32×32
head    global avg pool, linear 10        1      –     10  10

tiny.yaml: fine, 2,674 parameters, 2.58 MMACs
"""


def test_check_prints_the_stages_of_one_spec(run: Run, good: Path) -> None:
    result = run("check", "tiny.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, STAGES, "")


def test_check_prints_a_line_for_each_of_several_specs(run: Run, good: Path) -> None:
    result = run("check", "tiny.yaml", "resnet50")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "tiny.yaml: fine, 2,674 parameters, 2.58 MMACs",
        "resnet50: fine, 25,557,032 parameters, 4.09 GMACs",
        "2 specs: all fine",
    ]


def test_check_goes_on_after_a_bad_spec(run: Run, good: Path, bad: Path) -> None:
    result = run("check", "bad.yaml", "tiny.yaml", "resnet5O")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "tiny.yaml: fine, 2,674 parameters, 2.58 MMACs",
        "3 specs: 1 fine, 2 with errors",
    ]
    assert result.stderr.splitlines()[-1] == "2 errors in bad.yaml"
    assert "error[unknown-spec]: there is no network called `resnet5O`" in result.stderr
    assert "did you mean `resnet50`?" in result.stderr


def test_quiet_check_prints_errors_only(run: Run, good: Path, bad: Path) -> None:
    assert run("check", "-q", "tiny.yaml").output == ""
    result = run("check", "--quiet", "bad.yaml", "tiny.yaml")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "2 errors in bad.yaml" in result.stderr


def test_check_reads_standard_input(run: Run) -> None:
    result = run("check", "-", input=GOOD)
    assert result.exit_code == 0
    assert result.stdout.endswith("-: fine, 2,674 parameters, 2.58 MMACs\n")
    result = run("check", "-", input=GOOD.replace("basic", "basik"))
    assert result.exit_code == 1
    assert result.stderr.startswith("<stdin>:7:19: error[unknown-block]: ")


@pytest.mark.parametrize("data", [b"\xff\xfe", b"name: \xc3", b""])
def test_check_refuses_what_is_no_text(run: Run, data: bytes) -> None:
    result = run("check", "-", input=data)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"<stdin>:1:{7 if data[:1] == b'n' else 1}: error[")


def test_check_reads_no_more_of_standard_input_than_a_spec_may_have(run: Run) -> None:
    for letter in ("#", "é"):
        result = run("check", "-", input="# " + letter * 5_000_000)
        assert result.exit_code == 1
        assert "error[too-large]" in result.stderr


def test_check_goes_on_after_what_cannot_be_read(run: Run, good: Path, bad: Path) -> None:
    (good.parent / "folder").mkdir()
    result = run("check", "bad.yaml", f"./{'x' * 300}.yaml", "folder/", "tiny.yaml")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "tiny.yaml: fine, 2,674 parameters, 2.58 MMACs",
        "4 specs: 1 fine, 3 with errors",
    ]
    assert result.stderr.splitlines()[-1] == "2 errors in bad.yaml"
    assert f"error[unknown-spec]: there is no file {'x' * 300}.yaml\n" in result.stderr
    assert "error[unknown-spec]: folder/ is a folder\n" in result.stderr


def test_what_a_system_refuses_to_read_is_a_diagnostic(run: Run, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (good.parent / "locked.yaml").write_text(GOOD, "utf-8")
    opened = Path.open

    def refuse(path: Path, *arguments: str) -> object:
        if path.name == "locked.yaml":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", refuse)
    result = run("check", "locked.yaml", "tiny.yaml")
    assert (result.exit_code, result.stdout) == (
        1,
        "tiny.yaml: fine, 2,674 parameters, 2.58 MMACs\n2 specs: 1 fine, 1 with errors\n",
    )
    assert result.stderr == "error[unknown-spec]: locked.yaml cannot be read: Permission denied\n"


@pytest.mark.parametrize("name", [".", "./folder", "folder/", "/"])
@pytest.mark.parametrize("command", ["check", "summary", "show"])
def test_a_folder_is_called_one(run: Run, tmp_path: Path, command: str, name: str) -> None:
    (tmp_path / "folder").mkdir()
    word = name if name != "." else "./"
    assert f"error[unknown-spec]: {word} is a folder\n" in run(command, word).stderr


def test_a_folder_is_no_base(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "net.yaml").write_text("name: net\nextends: ./folder\n", "utf-8")
    result = run("check", "net.yaml")
    assert result.stderr.splitlines()[0] == (
        "net.yaml:2:10: error[unknown-spec]: folder cannot be read: Is a directory"
    )


VARIANTS = """
default: "2"
variants:
  "2": {}
  "3": {stages: {layer1: {depth: 3}}}
  wide: {stages: {layer1: {width: 16}}}
"""


def test_check_of_a_file_checks_all_its_variants(run: Run, good: Path) -> None:
    good.write_text(GOOD + VARIANTS, "utf-8")
    result = run("check", "./tiny.yaml", "-q")
    assert (result.exit_code, result.output) == (0, "")
    lines = run("check", "tiny.yaml").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[-3:]] == ["tiny.yaml", "tiny.yaml#3", "tiny.yaml#wide"]
    assert "tiny.yaml#3: fine" in run("check", "tiny.yaml#3").stdout
    assert "tiny.yaml#wide" not in run("check", "tiny.yaml#3").stdout


@pytest.mark.parametrize("name", ["c#.yaml", "sp ace #1.yaml", "x.yaml#y.yaml"])
def test_a_name_with_a_hash_is_that_of_a_file(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(GOOD + VARIANTS, "utf-8")
    for word in (name, f"./{name}"):
        lines = run("check", word).stdout.splitlines()
        assert [line.rpartition(": ")[0] for line in lines[-3:]] == [f"{word}: fine"[:-6], f"{word}#3", f"{word}#wide"]
        assert run("check", f"{word}#wide", "-q").exit_code == 0
        assert run("show", word).stdout == GOOD + VARIANTS
        assert run("diff", word, f"{word}#3", "--exit-code").exit_code == 1
    if name.count(".yaml") == 1:
        meant = f"{name[:-5]}q.yaml"
        assert f"there is no file {meant}\n  help: did you mean `{name}`?" in run("check", f"./{meant}").stderr


def test_check_of_standard_input_checks_all_its_variants(run: Run) -> None:
    result = run("check", "-", input=GOOD + VARIANTS)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.partition(":")[0] for line in result.stdout.splitlines()[-3:]] == ["-", "-#3", "-#wide"]
    result = run("check", "-", input=GOOD + VARIANTS.replace("{width: 16}", "{widht: 16}"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("<stdin>:16:")
    assert "`widht`" in result.stderr
    assert result.stderr.splitlines()[-1] == "1 error in <stdin>"


def test_a_variant_of_standard_input_is_chosen(run: Run) -> None:
    text = GOOD + VARIANTS
    assert run("check", "--", "-#wide", input=text).stdout.splitlines()[-1].startswith("-#wide: fine, ")
    assert (
        run("summary", "--format", "csv", "--", "-#3", input=text)
        .stdout.splitlines()[2]
        .startswith("layer1,0,basic,3,")
    )
    assert run("show", "--why", "layer1.depth", "--", "-#3", input=text).stdout.startswith("layer1.depth is 3\n")
    assert "depth: 3" in run("show", "--resolved", "--", "-#3", input=text).stdout
    assert run("show", "--", "-#3", input=text).stdout == text
    result = run("check", "--", "-#4", input=text)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error[unknown-variant]: there is no variant `4`" in result.stderr
    assert result.stderr.startswith("<stdin>:")


def test_standard_input_may_be_named_several_times(run: Run) -> None:
    text = GOOD + VARIANTS
    for words in (("summary", "-", "-"), ("summary", "--", "-#2", "-#wide"), ("check", "-", "-"), ("diff", "-", "-")):
        result = run(*words, input=text)
        assert (result.exit_code, result.stderr) == (0, ""), words
    assert "depth 2 -> 3" in run("diff", "--", "-", "-#3", input=text).stdout
    for words in (("summary", "-", "-"), ("diff", "-", "-")):
        assert "this spec is empty" in run(*words, input="").stderr


def test_errors_in_a_variant_are_seen_and_shared_ones_are_told_once(run: Run, good: Path) -> None:
    text = (GOOD + VARIANTS).replace("{width: 16}", "{widht: 16}")
    good.write_text(text, "utf-8")
    result = run("check", "tiny.yaml")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "`widht`" in result.stderr
    assert result.stderr.splitlines()[-1] == "1 error in tiny.yaml"
    good.write_text(text.replace("global_pool", "{block: global_pol}"), "utf-8")
    result = run("check", "tiny.yaml")
    assert result.stderr.count("global_pol`") == 1
    assert result.stderr.splitlines()[-1] == "2 errors in tiny.yaml"


def test_summary_writes_each_format(run: Run) -> None:
    table = run("summary", "resnet18").stdout
    assert "11,689,512" in table
    assert run("summary", "resnet18", "--depth", "block").stdout.count("basic ×2") == 5
    assert run("summary", "resnet18", "--format", "markdown").stdout.startswith("**resnet18**, input 3×224×224\n")
    assert run("summary", "resnet18", "--format", "csv", "--depth", "layer").stdout.startswith("path,level,block,")
    assert json.loads(run("summary", "resnet18", "--format", "json").stdout)["macs"] == 1_814_073_344


def test_summary_takes_an_input_and_settings(run: Run) -> None:
    result = run(
        "summary",
        "resnet50",
        "--input",
        "3x192x256",
        "--set",
        "classes=10",
        "--set",
        "layer3.depth=23",
        "--format",
        "json",
    )
    data = json.loads(result.stdout)
    expected = archbuilder.check("resnet50", {"classes": 10, "layer3.depth": 23}, (3, 192, 256)).summary
    assert data["input"] == [3, 192, 256]
    assert data["output"] == [10]
    assert (data["parameters"], data["macs"]) == (expected.parameters, expected.macs)


def test_list_names_every_network(run: Run) -> None:
    names = network_names()
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == names
    entries = json.loads(run("list", "--format", "json").stdout)
    assert [entry["name"] for entry in entries] == names
    resnet50 = next(entry for entry in entries if entry["name"] == "resnet50")
    assert (resnet50["layers"], resnet50["parameters"], resnet50["input"]) == (50, 25_557_032, [3, 224, 224])
    assert all(entry["help"] for entry in entries)


@pytest.mark.parametrize("format", ["table", "json"])
def test_list_sets_what_it_can_and_says_where_it_cannot(run: Run, format: str) -> None:
    result = run("list", "--set", "layer3.depth=23", "--format", format)
    assert result.exit_code == 0
    said, _, listed = result.stderr.rstrip("\n").partition(": ")[2].partition(": ")
    assert result.stderr.startswith("note: ")
    assert said == "left out, since this cannot be set there"
    refused = listed.split(", ")
    assert {"vgg16", "mobilenet_v2"} <= set(refused)
    if format == "json":
        entries = {entry["name"]: entry["layers"] for entry in json.loads(result.stdout)}
    else:
        entries = {line.split()[0]: int(line.split()[1]) for line in result.stdout.splitlines()[1:]}
    assert sorted([*entries, *refused]) == network_names()
    assert (entries["resnet50"], entries["resnet101"]) == (101, 101)


def test_list_refuses_what_can_be_set_nowhere(run: Run) -> None:
    result = run("list", "--set", "layer3.dept=23")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(
        "--set layer3.dept:1:1: error[unknown-parameter]: `basic` has no parameter `dept`\n"
    )
    assert "  note: so in cifar_plain20, and it can be set in none of the others either\n" in result.stderr
    assert result.stderr.count("error[") == 1


def test_show_prints_the_text_as_it_is(run: Run, good: Path) -> None:
    good.write_bytes(b"# a comment\r\n" + GOOD.encode())
    assert run("show", "tiny.yaml").stdout_bytes == good.read_bytes()
    assert run("show", "-", input=GOOD).stdout == GOOD
    assert run("show", "resnet50").stdout == run("show", "resnet#18").stdout
    assert "layer4" in run("show", "resnet50").stdout


def test_show_refuses_what_is_not_there(run: Run) -> None:
    assert "did you mean `resnet50`?" in run("show", "resnet5O").stderr
    assert "error[unknown-variant]" in run("show", "resnet#51").stderr
    assert run("show", "nope/x.yaml").exit_code == 1


@pytest.mark.parametrize("settings", [[], ["--set", "classes=7", "--set", "layer3.depth=2"]])
@pytest.mark.parametrize("name", ["resnet50d", "resnet101", "cifar_resnet56"])
def test_what_show_resolved_prints_is_the_same_network(run: Run, name: str, settings: list[str]) -> None:
    text = run("show", name, "--resolved", *settings).stdout
    assert "extends" not in text
    shown = run("summary", "-", "--format", "json", "--depth", "layer", input=text)
    assert shown.exit_code == 0, shown.stderr
    assert shown.stdout == run("summary", name, "--format", "json", "--depth", "layer", *settings).stdout


WHY = """\
layer1.1.conv1.stride is 1
  → $stride  blocks/residual.yaml  fixed in the body of `basic`
    1                              the default of `conv`
    `stride` of `basic` at layer1.1 is 1
      → 1                        only the first repeat has the stride
        1  blocks/residual.yaml  the default of `basic`
"""


def test_show_why_prints_where_a_value_comes_from(run: Run, good: Path) -> None:
    result = run("show", "tiny.yaml", "--why", "layer1.1.conv1.stride")
    assert (result.exit_code, result.stderr) == (0, "")
    shown = re.sub(r"(blocks/residual\.yaml):\d+:\d+", r"\1", result.stdout)
    assert [line.split() for line in shown.splitlines()] == [line.split() for line in WHY.splitlines()]
    result = run("show", "tiny.yaml", "--why", "layer1.width", "--set", "layer1.width=16")
    assert result.stdout.splitlines() == [
        "layer1.width is 16",
        "  → 16  --set layer1.width=16  the use itself",
        "    8   tiny.yaml:7:33         the use itself, replaced",
    ]
    assert run("show", "-", "--why", "classes", input=GOOD).stdout.splitlines()[1].split()[2] == "<stdin>:2:23"


def test_show_why_refuses_what_is_not_there(run: Run, good: Path, bad: Path) -> None:
    result = run("show", "tiny.yaml", "--why", "layer1.1.conv1.strid")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[0] == (
        "--why:1:16: error[unknown-parameter]: `conv` at layer1.1.conv1 has no parameter `strid`"
    )
    assert "did you mean `stride`?" in result.stderr
    assert "did you mean `layer1`?" in run("show", "tiny.yaml", "--why", "layr1.width").stderr
    assert "there is no block `basik`" in run("show", "bad.yaml", "--why", "layer1.width").stderr
    assert "did you mean `resnet50`?" in run("show", "resnet5O", "--why", "layer1.width").stderr
    assert run("show", "tiny.yaml", "--why", "classes", "--resolved").exit_code == 2


def test_list_names_the_blocks(run: Run) -> None:
    lines = run("list", "--blocks").stdout.splitlines()
    assert next(line for line in lines if line.startswith("bottleneck ")).split()[:3] == ["bottleneck", "block", "1x1"]
    assert next(line for line in lines if line.startswith("conv ")).split()[:2] == ["conv", "op"]
    entries = json.loads(run("list", "--blocks", "--format", "json").stdout)
    (project,) = (each for each in entries if each["name"] == "project")
    assert project["parameters"] == [
        {"name": "width", "type": "channels", "required": True, "help": ""},
        {"name": "stride", "type": "size", "required": False, "help": "", "default": 1},
    ]
    assert run("list", "--blocks", "--set", "classes=3").exit_code == 2


def test_show_prints_a_block_or_an_op(run: Run) -> None:
    assert run("show", "project").stdout.splitlines()[:3] == [
        "blocks:",
        "  project:",
        "    help: a 1x1 convolution and a norm (He et al. 2015, arXiv:1512.03385, option B)",
    ]
    lines = run("show", "channel_conv").stdout.splitlines()
    assert lines[0].startswith("channel_conv: a convolution along the channels")
    assert lines[2].split()[:3] == ["kernel", "int", "required"]
    assert run("show", "identity").stdout.splitlines()[-1] == "no parameters"


def test_block_takes_tokens_and_several_values(run: Run) -> None:
    first = run("block", "hr_module", "--input", "8x8x8,16x4x4", "--set", "blocks=1").stdout.splitlines()[0]
    assert first == "hr_module   input 8×8×8 + 16×4×4   output 8×8×8 + 16×4×4"
    told = ("--set", "heads=2", "--set", "expand=2", "--set", "norm.kind=layer")
    first = run("block", "pvt_block", "--tokens", "--input", "8x4x4", *told).stdout.splitlines()[0]
    assert first == "pvt_block   input 4×4 tokens of 8   output 4×4 tokens of 8"
    built = run("block", "pvt_block", "--tokens", "--input", "8x4x4", *told, "--build")
    assert (built.exit_code, built.stdout.count("equal")) == (0, 3)
    built = run("block", "hr_transition", "--input", "8x8x8", "--set", "streams=3", "--build")
    assert (built.exit_code, built.stdout.count("equal")) == (0, 3)
    assert built.stdout.endswith("\noutput 8×8×8 + 16×4×4 + 32×2×2 for random numbers\n")
    result = run("block", "basic", "--set", "width=8", "--format", "dot")
    assert result.exit_code == 2
    assert "say -o too" in result.stderr
    assert run("block", "basic", "--set", "width=8", "-o", "-", "--format", "dot").stdout.startswith("digraph")


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("add", "64x32x32,64x32x32"),
        ("concat --input 3x4x4", "3x4x4,3x4x4"),
        ("multiply --input 8x4x4", "8x4x4,8x4x4"),
        ("attention --tokens", "64x32x32,64x32x32,64x32x32"),
        ("attention --tokens --input 8x4x4,8x4x4", "8x4x4,8x4x4,8x4x4"),
        ("norm --input 8x4x4,8x4x4", "8x4x4"),
    ],
)
def test_the_help_says_which_inputs_a_block_takes(run: Run, words: str, given: str) -> None:
    result = run("block", *words.split())
    assert result.exit_code == 1
    values = ", ".join(f"({size.replace('x', ', ')})" for size in given.split(","))
    help = f"give the size of each: `--input {given}`, in Python `input=[{values}]`"
    assert result.stderr.endswith(f"\n  help: {help}\n")
    assert run("block", *words.split(), "--input", given).exit_code == 0


def test_in_a_spec_the_help_names_steps(run: Run, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("name: net\nblocks: {my: {body: {a: norm, b: add}}}\n", "utf-8")
    assert "as in `from: [left, right]`" in run("block", "my", "--spec", "net.yaml").stderr


def test_summary_of_several_networks_is_side_by_side(run: Run, good: Path) -> None:
    lines = run("summary", "tiny.yaml", "resnet18").stdout.splitlines()
    assert lines[0].split() == ["tiny", "resnet18"]
    assert lines[-1].split() == ["layers", "6", "18"]
    found = json.loads(run("summary", "tiny.yaml", "resnet18", "--format", "json").stdout)
    assert [each["name"] for each in found] == ["tiny", "resnet18"]
    assert run("summary", "tiny.yaml", "resnet18", "--format", "csv").stdout.startswith("network,path,level,")
    assert run("summary", "tiny.yaml", "resnet18", "--format", "markdown").stdout.startswith(
        "|  |  | tiny | resnet18 |"
    )


def test_summary_as_a_table_of_a_paper(run: Run, good: Path) -> None:
    assert "\\block{\\text{3×3,{} 8}\\\\\\text{3×3,{} 8}}{2}" in run("summary", "tiny.yaml", "--format", "latex").stdout
    result = run("summary", "tiny.yaml", "--format", "latex", "--depth", "layer")
    assert (result.exit_code, "has no effect beside --format latex" in result.stderr) == (2, True)
