//! The tests of scripts: ours pass, and none touches anything of the operator's.

use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use masctl::primitives::documented;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::support::sandbox::Sandbox;

const IMPORTS: &str = "import \"std/assert\" as assert;\nimport \"std/fixture\" as fixture;\n";

/// What `masctl scripts test` with these arguments shows: its status, stdout and stderr.
fn tested(sandbox: &Sandbox, folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = sandbox.masctl(1);
    command.current_dir(folder).args(["scripts", "test"]).args(arguments);
    let Output { status, stdout, stderr } = command.output().expect("masctl runs");
    let text = |bytes| String::from_utf8(bytes).expect("masctl writes UTF-8");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_tests_of_what_ships_pass() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (status, report, errors) = tested(&Sandbox::new(), package, &["scripts/manage", "stdlib"]);
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{report}");
    for folder in ["scripts/manage", "stdlib"] {
        let entries = fs::read_dir(package.join(folder)).expect("it is there");
        for name in entries.flatten().map(|entry| entry.file_name()) {
            let name = name.to_string_lossy();
            let is_run = report.contains(&format!(" in {folder}/{name}\n"));
            assert!(is_run || !name.ends_with(".test.rhai"), "{name} has no test:\n{report}");
        }
    }
}

#[test]
fn the_test_in_the_readme_is_real() {
    let readme = include_str!("../README.md");
    let block = |heading: &str| {
        let section = readme.split(heading).nth(1).expect("README has that section");
        let block = section.split("```rhai\n").nth(1).expect("it has a script");
        block.split("```").next().unwrap_or_default()
    };
    let (script, test) = (block("\n## Your scripts\n"), block("\n### Testing a script\n"));
    let sandbox = Sandbox::new();
    sandbox.write("lock-away.rhai", script);
    sandbox.write("lock-away.test.rhai", test);
    let (status, report, _) = tested(&sandbox, sandbox.path(), &[]);
    assert_eq!(status, Some(0), "{report}");
    sandbox.write("lock-away.rhai", &script.replace("user.lock();", ""));
    let (status, report, _) = tested(&sandbox, sandbox.path(), &[]);
    assert_eq!(status, Some(1), "{report}");
}

#[test]
fn the_examples_of_the_namespace_testing_run_as_tests() {
    let sandbox = Sandbox::new();
    let mut tests = vec![IMPORTS.to_owned()];
    for primitive in documented()
        .into_iter()
        .filter(|primitive| primitive.namespace == "testing")
    {
        let example = primitive.example().expect("each has one").to_owned();
        let name = format!("test_{}_{}", primitive.name, tests.len());
        tests.push(format!("fn {name}() {{\n{example}}}\n"));
    }
    let count = tests.len() - 1;
    sandbox.write("examples.test.rhai", &tests.concat());
    let (status, report, _) = tested(&sandbox, sandbox.path(), &[]);
    assert_eq!(status, Some(0), "{report}");
    assert!(report.contains(&format!("{count} passed; 0 failed")), "{report}");
    assert!(count > 20, "{count}");
}

#[test]
fn outside_of_a_test_nothing_is_made_out_of_nothing() {
    let sandbox = Sandbox::new();
    for call in [
        "user(\"alice\")",
        "users(3)",
        "work()",
        "now()",
        "said()",
        "file(\"a\", \"b\")",
        "homeserver_down()",
    ] {
        let script = format!(
            "//! ---\n//! needs: [users:write]\nimport \"std/fixture\" as fixture;\nfn main(args) {{ fixture::{call}; }}\n"
        );
        sandbox.write("x.rhai", &script);
        let output = sandbox.masctl(1).args(["run", "x.rhai"]).output().expect("masctl runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            errors.starts_with("Error: `testing::` works only in a test"),
            "{call}: {errors}"
        );
        assert_eq!(output.status.code(), Some(1), "{call}");
    }
}

#[test]
fn nothing_of_the_operators_is_touched() {
    let sandbox = Sandbox::new();
    // Port 1 is nobody's: whoever asks there fails.
    let unreachable = "database: { uri: 'postgresql://mas@127.0.0.1:1/mas' }\n\
         matrix: { homeserver: elsewhere.org, secret: secret, endpoint: 'http://127.0.0.1:1/' }\n\
         passwords: { enabled: false }\n";
    sandbox.write("config.yaml", unreachable);
    sandbox.write("broken.yaml", "database: [\n");
    let test = "fn test_a_whole_life() {\n\
         fixture::user(\"alice\", #{ password: \"x\" });\n\
         testing::run(\"lock-user\", #{ username: \"@alice:example.com\" });\n\
         fixture::work();\n\
         assert::equal(fixture::homeserver_account(\"alice\").locked, true);\n}\n";
    sandbox.write("life.test.rhai", &format!("{IMPORTS}{test}"));
    for arguments in [
        &["life.test.rhai"][..],
        &["life.test.rhai", "-c", "config.yaml"],
        &["-c", "broken.yaml"],
    ] {
        let mut command = sandbox.masctl(1);
        command.args(["scripts", "test"]).args(arguments);
        command.env("DATABASE_URL", "postgresql://mas@127.0.0.1:1/mas");
        command.env("MAS_CONFIG", sandbox.path().join("config.yaml"));
        command.env("MAS_MATRIX_HOMESERVER", "elsewhere.org");
        let output = command.output().expect("masctl runs");
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(report.ends_with("test result: ok. 1 passed; 0 failed\n"), "{report}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
    assert!(!sandbox.data_home().exists(), "no store was made");
}

#[test]
fn a_test_that_sleeps_or_computes_for_too_long_fails_and_the_others_go_on() {
    let sandbox = Sandbox::new();
    let tests = "fn test_sleeps() { try { sleep(3600); } catch { } }\n\
         fn test_computes() { loop { try { loop { } } catch { } } }\n\
         fn test_in_a_closure() { [1].map(|x| { loop { } }); }\n\
         fn test_passes() { }\n";
    sandbox.write("slow.test.rhai", tests);
    let started = Instant::now();
    let (status, report, _) = tested(&sandbox, sandbox.path(), &["--time-limit", "2s"]);
    assert_eq!(status, Some(1), "{report}");
    assert!(report.contains("test result: FAILED. 1 passed; 3 failed"), "{report}");
    assert!(report.contains("Error: It was not done after 2 seconds"), "{report}");
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
}

#[test]
fn ctrl_c_ends_all_tests_at_once_and_leaves_no_store_behind() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "slow.test.rhai",
        "fn test_one() { sleep(3600); }\nfn test_two() { sleep(3600); }\nfn test_three() { }\n",
    );
    let stores = sandbox.path().join("tmp");
    fs::create_dir(&stores).expect("the folder is new");
    let mut command = sandbox.masctl(1);
    command
        .args(["scripts", "test", "--time-limit", "60m"])
        .env("TMPDIR", &stores);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("masctl runs");
    let is_at_work = || fs::read_dir(&stores).is_ok_and(|entries| entries.count() > 0);
    crate::support::wait_until("the first store", is_at_work);
    thread::sleep(Duration::from_millis(500));
    let started = Instant::now();
    let process = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(process), Signal::SIGINT).expect("it is there");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Error: Interrupted: nothing was changed\n"
    );
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(!is_at_work(), "the stores are gone");
}

/// Whatever stands after it would count as true.
#[test]
fn a_test_that_exits_has_failed_and_a_script_may() {
    let sandbox = Sandbox::new();
    sandbox.write("leaves.rhai", "fn main(args) { exit(\"early\"); throw \"late\"; }\n");
    let tests = "fn test_exits() { exit(); }\n\
         fn test_exits_in_a_closure() { try { [1].map(|x| exit(x)); } catch { } }\n\
         fn test_of_a_script_that_does() { assert::equal(testing::run(\"./leaves\", #{}), \"early\"); }\n";
    sandbox.write("leaves.test.rhai", &format!("{IMPORTS}{tests}"));
    let (status, report, _) = tested(&sandbox, sandbox.path(), &[]);
    assert_eq!(status, Some(1), "{report}");
    assert_eq!(
        report.matches("Error: A test cannot call `exit`").count(),
        2,
        "{report}"
    );
    assert!(report.contains("1 passed; 2 failed"), "{report}");
}
