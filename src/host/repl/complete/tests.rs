use std::fs;

use rhai::{Dynamic, module_resolvers::DummyModuleResolver};

use super::*;
use crate::{
    host::{engine, repl::hint},
    model::{Id, User},
};

/// What an input leaves that touches no store, beside a user and a closure.
fn state(input: &str) -> State {
    let user = User {
        id: Id::least(),
        username: "alice".to_owned(),
        created_at: chrono::DateTime::UNIX_EPOCH,
        locked_at: None,
        deactivated_at: None,
        admin: true,
        guest: false,
    };
    let engine = engine::bare(DummyModuleResolver::new());
    let mut state = State::default();
    state.scope_mut().push_dynamic("user", Dynamic::from(user));
    let ast = engine.compile_with_scope(state.scope(), input).unwrap();
    let () = engine.eval_ast_with_scope(state.scope_mut(), &ast).unwrap();
    state.keep_functions("input 1", &input.into(), &ast);
    state
}

fn around(folder: &Path) -> Around<'_> {
    Around {
        folder,
        script_folders: &[],
    }
}

fn complete(state: &State, text: &str) -> Completion {
    // Those before the last are code.
    let (before, behind) = text.rsplit_once('|').unwrap();
    let text = format!("{before}{behind}");
    candidates(state, &around(Path::new("/nowhere")), &text, before.len())
}

/// What is replaced, and the first of what can take its place.
fn shown(state: &State, text: &str) -> String {
    const SHOWN: usize = 6;
    let completion = complete(state, text);
    let cursor = text.rfind('|').unwrap();
    let replacements = completion.candidates.iter().map(|it| it.replacement.as_str());
    let more = if completion.candidates.len() > SHOWN {
        " …"
    } else {
        ""
    };
    let shown: Vec<_> = replacements.take(SHOWN).collect();
    format!("{}→{}{more}", &text[completion.start..cursor], shown.join(" "))
}

fn table(state: &State, rows: &[(&str, &str)]) {
    let found: Vec<_> = rows.iter().map(|(text, _)| (*text, shown(state, text))).collect();
    let wanted: Vec<_> = rows
        .iter()
        .map(|(text, wanted)| (*text, (*wanted).to_owned()))
        .collect();
    let lines = |rows: &[(&str, String)]| {
        let lines = rows.iter().map(|(text, shown)| format!("{text:?}: {shown}\n"));
        lines.collect::<String>()
    };
    assert_eq!(lines(&found), lines(&wanted));
}

#[test]
fn words_become_what_has_a_name() {
    let state = state("let usage = 1; const URL = \"x\"; /// Shout.\nfn upper(text) { text } fn unit() {}");
    table(
        &state,
        &[
            ("us|", "us→usage user users::"),
            ("U|", "U→URL unit() upper( usage user users::"),
            ("say|", "say→say("),
            ("let x = err|", "err→error_code( error_concerns_all( error_message("),
            ("whi|", "whi→while "),
            ("let x = whi|", "whi→"),
            ("let x = tr|", "tr→true"),
            ("fo|o", "fo→for "),
            ("let us|", "us→"),
            ("const us|", "us→"),
            ("for us|", "us→"),
            ("for us in u|", "u→URL unit() upper( usage user users::"),
            ("for us |", "→in "),
            ("fn us|", "us→"),
            ("fn f(us|", "us→"),
            ("fn f(a, us|", "us→"),
            ("fn User.f(us|", "us→"),
            ("try { } catch (us|", "us→"),
            ("list.map(|us|", "us→"),
            ("list.map(|us| us|", "us→us usage user users::"),
            ("a || us|", "us→usage user users::"),
            ("a | us|", "us→usage user users::"),
            ("usage u|", "u→"),
            ("#{ us|", "us→"),
            ("#{ a: us|", "us→usage user users::"),
            ("#{ a: 1, us|", "us→"),
            ("12us|", "us→"),
            ("'u|", "→"),
            ("// us|", "→"),
            ("/* us|", "→"),
            ("testing|", "testing→"),
            ("nothing_like_this|", "nothing_like_this→"),
        ],
    );
}

#[test]
fn names_of_the_input_are_seen_where_they_are() {
    let state = state("");
    table(
        &state,
        &[
            ("let account = 1; acc|", "acc→account"),
            ("let account = acc|", "acc→"),
            ("if true { let account = 1; } acc|", "acc→"),
            ("if true { let account = 1; acc|", "acc→account"),
            (
                "for (account, accurate) in users::list(#{}) { acc|",
                "acc→account accurate",
            ),
            ("for account in users::list(#{ a: [1] }) {\n  say(1);\n} acc|", "acc→"),
            ("fn f(account) { acc|", "acc→account"),
            ("fn f(account) { 1 } acc|", "acc→"),
            ("fn account(a) { 1 } acc|", "acc→account("),
            ("fn account() { 1 }\nlet x = 1;\nacc|", "acc→account()"),
            ("let account = 1; fn f() { acc|", "acc→"),
            ("fn f() { us|", "us→users::"),
            ("try { 1 } catch (account) { acc|", "acc→account"),
            ("list.map(|account| acc|", "acc→account"),
            ("import \"std/passwords\" as accounts; acc|", "acc→accounts::"),
        ],
    );
    // The cursor stands behind the second of them.
    let text = "[1].map(|account| acc";
    let found = candidates(&state, &around(Path::new("/nowhere")), text, text.len());
    assert_eq!(found.candidates[0].replacement, "account");
    let text = "[1].map(|account| account + 1); acc";
    let found = candidates(&state, &around(Path::new("/nowhere")), text, text.len());
    assert_eq!(found.candidates, []);
    let text = "[1].map(|acc";
    let found = candidates(&state, &around(Path::new("/nowhere")), text, text.len());
    assert_eq!(found.candidates, []);
}

#[test]
fn paths_become_functions_of_namespaces_and_imports() {
    let state = state("");
    table(
        &state,
        &[
            ("users::g|", "g→get( get_by_email( get_by_id("),
            ("users::G|", "G→get( get_by_email( get_by_id("),
            ("users::prov|", "prov→provision_all()"),
            ("users::lo|", "lo→localpart("),
            ("users :: reg|", "reg→register("),
            ("nobody::g|", "g→"),
            ("import \"std/passwords\" as ask; ask::|", "→chosen( revealed("),
            ("::g|", "g→"),
        ],
    );
}

#[test]
fn dots_are_followed_by_what_the_value_really_has() {
    let state = state(
        "let text = \"a\"; let list = [1, 2]; let number = 1; let map = #{ user: user, \"a b\": 1, inner: #{ deep: [user] } };\n\
         let mixed = [1, \"a\"]; let closure = |x| x; let nothing = (); fn int.doubled() { this * 2 } fn plain() { 1 }",
    );
    table(
        &state,
        &[
            ("user.lo|", "lo→lock() locked_at"),
            ("user.LO|", "LO→lock() locked_at"),
            ("user?.lo|", "lo→lock() locked_at"),
            ("user. lo|", "lo→lock() locked_at"),
            ("say(user.lo|", "lo→lock() locked_at"),
            ("1 + user.lo|)", "lo→lock() locked_at"),
            ("user.lock().lo|", "lo→lock() locked_at"),
            ("user.username.to_u|", "to_u→to_upper()"),
            ("user.locked_at.se|", "se→"),
            ("text.to_u|", "to_u→to_upper()"),
            ("\"a\".to_u|", "to_u→to_upper()"),
            ("`a${1}b`.to_u|", "to_u→to_upper()"),
            ("text[0].to_u|", "to_u→to_upper()"),
            ("text.le|", "le→len len()"),
            ("list.fi|", "fi→filter( find( find_map("),
            ("list[0].is_o|", "is_o→is_odd is_odd()"),
            ("list[-1].is_o|", "is_o→is_odd is_odd()"),
            ("list[number].is_o|", "is_o→is_odd is_odd()"),
            ("list.find(|n| n > 1).is_o|", "is_o→is_odd is_odd()"),
            ("list[9].is_o|", "is_o→"),
            ("mixed[1].to_u|", "to_u→to_upper()"),
            ("number.do|", "do→doubled()"),
            ("text.do|", "do→"),
            ("number.pl|", "pl→"),
            ("map.us|", "us→user"),
            ("map.a|", "a→"),
            ("map.user.lo|", "lo→lock() locked_at"),
            ("map[\"user\"].lo|", "lo→lock() locked_at"),
            ("map.inner.|deep", "→clear() contains( deep drain( fill_with( filter( …"),
            ("map.inner.deep[0].lo|", "lo→lock() locked_at"),
            ("map.nothing.lo|", "lo→"),
            ("closure.c|", "c→call( curry("),
            ("nothing.|", "→"),
        ],
    );
}

#[test]
fn dots_are_followed_by_what_is_told_of_what_is_before_them() {
    let state = state("let map = #{ inner: #{ deep: [user] } }; fn plain() { 1 }");
    table(
        &state,
        &[
            ("unknown.lo|", "lo→"),
            ("(user).lo|", "lo→"),
            ("1.lo|", "lo→"),
            ("users::get(\"x\").lo|", "lo→lock() locked_at"),
            ("users::find(\"x\").lo|", "lo→lock() locked_at"),
            ("users::list(#{}).|", "→type_of()"),
            ("users::get(\"x\").describe().emails[0].em|", "em→email"),
            ("plain().lo|", "lo→"),
            ("let u = users::get(\"x\"); u.lo|", "lo→lock() locked_at"),
            ("let u = user; let v = u; v.lo|", "lo→lock() locked_at"),
            ("let user = 1; user.is_o|", "is_o→is_odd is_odd()"),
            ("let u = u; u.lo|", "lo→"),
            ("for u in users::list(#{}) { u.lo|", "lo→lock() locked_at"),
            ("for (u, i) in map.inner.deep { u.lo|", "lo→lock() locked_at"),
            ("for (u, i) in map.inner.deep { i.is_o|", "is_o→is_odd is_odd()"),
            (
                "let m = #{ one: 1, two: #{ three: 3 } }; m.t|",
                "t→to_debug() to_json() to_string() two type_of()",
            ),
            ("fn f() { user.lo|", "lo→"),
            ("#{ a: user.lo|", "lo→lock() locked_at"),
            ("`${user.lo|", "lo→lock() locked_at"),
        ],
    );
    let text = "map.inner.deep.filter(|u| u.lo";
    let found = candidates(&state, &around(Path::new("/nowhere")), text, text.len());
    assert_eq!(found.candidates[0].replacement, "lock()");
}

#[test]
fn keys_of_maps_are_offered_in_brackets() {
    let state =
        state("let map = #{ one: 1, \"a b\": 2, \"q\\\"\": 3, \"n\\n\": 4, \"\\u202eo\": 5 }; let list = [map];");
    table(
        &state,
        &[
            ("map[\"|", "→a b\"] one\"]"),
            ("map[\"O|", "O→one\"]"),
            ("map[`o|", "o→one`]"),
            ("list[0][\"o|", "o→one\"]"),
            ("list[\"o|", "o→"),
            ("[\"o|", "o→"),
        ],
    );
}

#[test]
fn what_is_offered_is_told_as_the_reference_tells_it() {
    let state = state("/// Shout a text.\n/// Really.\nfn shout(text, loud) { text }\nlet list = [user]; const N = 1;");
    let told = |text: &str| {
        let found = complete(&state, text).candidates;
        let lines = found.iter().map(|it| format!("{} | {}", it.signature, it.about));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(
        told("users::get_by_i|"),
        ["users::get_by_id(id: String) -> User | Get a user by its id, which is also the `sub` claim of its tokens."]
    );
    assert_eq!(told("shou|"), ["shout(text, loud) | Shout a text."]);
    assert_eq!(told("lis|"), ["list: [User] | "]);
    assert_eq!(
        told("user|"),
        ["user: User | An account.", "users:: | Look up and change accounts."]
    );
    assert_eq!(
        told("user.lock|"),
        [
            "user.lock() -> User | Lock a user so that it cannot log in and its sessions rest.",
            "locked_at: Time | () | When it was locked."
        ]
    );
    assert_eq!(
        told("\"\".trim|"),
        ["trim(string: String) | Remove whitespace characters from both ends of the string."]
    );
}

#[test]
fn files_are_offered_where_a_text_is_a_path() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    for name in [
        "names.txt",
        "data/one.csv",
        "data/two.csv",
        ".hidden",
        "own.rhai",
        "own.test.rhai",
        "bad\nname",
        "name\u{202e}txt",
        "q\"uote",
    ] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    std::os::unix::fs::symlink("/nowhere/at/all", folder.path().join("dangling")).unwrap();
    let state = state("");
    let absolute = format!("say(\"{}/na", folder.path().display());
    let found = |text: &str| {
        let completion = candidates(&state, &around(folder.path()), text, text.len());
        let all: Vec<_> = completion.candidates.into_iter().map(|it| it.replacement).collect();
        format!("{}→{}", &text[completion.start..], all.join(" "))
    };
    for (text, expected) in [
        ("let x = \"./", "→data/ names.txt own.rhai own.test.rhai"),
        ("let x = `./", "→data/ names.txt own.rhai own.test.rhai"),
        ("let x = \"./.", ".→.hidden"),
        ("let x = \"./data/O", "O→one.csv"),
        ("let x = \"./data/o\\", "./data/o\\→"),
        ("let x = \"na", "na→"),
        ("files::lines(\"na", "na→names.txt"),
        ("files::lines(x, \"na", "na→"),
        ("let x = \"./data/none/", "→"),
        ("import \"./o", "o→own"),
        ("import \"./d", "d→data/"),
        ("import \"std/pa", "std/pa→std/passwords"),
        (
            "import \"",
            "→./ std/assert std/fixture std/lines std/passwords std/registration",
        ),
        (&absolute, "na→names.txt"),
        ("\\save ./data/o", "o→one.csv"),
        ("\\save na", "na→names.txt"),
        ("\\run ./ow", "ow→own.rhai own.test.rhai"),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn meta_commands_and_what_they_take_are_offered() {
    let state = state("let mine = 1; fn my_own(a) { a }");
    table(
        &state,
        &[
            ("\\|", "→? changes d  h  history  json  …"),
            ("  \\Mo|", "Mo→mode "),
            ("\\mode |", "→plan read write"),
            ("\\mode  w|", "w→write"),
            ("\\unknown w|", "w→"),
            ("\\q w|", "w→"),
            ("\\d my|", "my→my_own"),
            ("\\d MI|", "MI→min mine mixin"),
            (
                "\\d users::get_by_|",
                "users::get_by_→users::get_by_email users::get_by_id",
            ),
            (
                "\\d User|",
                "User→User user user.add_email user.admin user.created_at user.deactivate …",
            ),
            ("\\run lock|", "lock→lock-user "),
            ("\\run lock-user --|", "--→--deactivate "),
            ("\\run lock-user --deactivate --|", "--→"),
            ("\\run lock-user alice |", "→--deactivate "),
            ("\\run kill-sessions --kind=b|", "b→browser "),
            ("\\run nothing --|", "--→"),
            ("say(\"\\us|", "\\us→"),
        ],
    );
}

#[test]
fn hints_tell_the_rest() {
    let state = state("/// Shout a text.\nfn shout(text, loud) { text }");
    let hint = |text: &str| {
        let hint = hint::of(&state, &around(Path::new("/nowhere")), text, text.len())?;
        Some(format!("{}|{}", hint.rest, hint.note))
    };
    for (text, expected) in [
        (
            "users::get(",
            Some("|name: String) -> User  Get a user by username, or by its MXID of this server."),
        ),
        (
            "users::get_by_i",
            Some("d(|id: String) -> User  Get a user by its id, which is also the `sub` claim of its tokens."),
        ),
        ("shout(", Some("|text, loud)  Shout a text.")),
        ("shout(1, ", Some("|loud)  Shout a text.")),
        ("shout([1, 2], ", Some("|loud)  Shout a text.")),
        ("fn shout(", None),
        ("user.lock", None),
        ("user.unlo", Some("ck()|  Unlock a user.")),
        (
            "user.add_email(",
            Some(
                "|address: String, options: Map) -> Email  Add an e-mail address to a user, also one that another user has if the option `allow_duplicate` is true.",
            ),
        ),
        (
            "\"a\".split(",
            Some(
                "|delimiter: char, segments: int) -> Array  Split the string into at most the specified number of `segments` \
                 based on a `delimiter` character, returning an array of the segments.",
            ),
        ),
        ("user", None),
        ("us", None),
        ("", None),
        (
            "\\ru",
            Some("n |  Run a script by its name, or by the path of its file"),
        ),
        ("\\run ", None),
        ("say(", Some("|message: ?)  Tell people something, on stderr.")),
        ("(", None),
        ("[", None),
    ] {
        assert_eq!(hint(text).as_deref(), expected, "{text}");
    }
    assert_eq!(hint::of(&state, &around(Path::new("/")), "users::get(", 3), None);
}

/// Every part of these texts, with the cursor everywhere.
#[test]
fn no_text_is_too_much() {
    let state = state("let map = #{ a: [1] }; let text = \"ü\";");
    let mut texts = vec![
        "let ü = users::get(\"ä€😀\"); ü.lock().x[`a${map.a[0].y}b`] => { fn f(a, |b| c) } /* x /* y */ 'c' #\"r\"# ::"
            .to_owned(),
        ")]}::..?.?[[[{{((#{#{|||,,;;fn fn let let for in for (import as catch (".to_owned(),
        "a.".repeat(2000),
        "a[".repeat(2000),
        "f(".repeat(2000),
        "let a = b; let b = a; ".repeat(100) + "a.",
        "\\run lock-user --deactivate=x --\u{200b}y ü".to_owned(),
        "\\d \u{3000}x".to_owned(),
        "`${".repeat(200),
        "let a=1;".repeat(2000),
    ];
    texts.push(texts[0].chars().rev().collect());
    for text in &texts {
        let step = 1 + text.len() / 20;
        for cursor in (0..text.len() + 2).step_by(step) {
            for text in [&**text, before(text, cursor)] {
                let started = std::time::Instant::now();
                let completion = candidates(&state, &around(Path::new("/nowhere")), text, cursor);
                assert!(text.is_char_boundary(completion.start) && completion.start <= cursor);
                assert!(completion.candidates.len() <= MOST);
                let _ = hint::of(&state, &around(Path::new("/nowhere")), text, text.len());
                // A debug build among others takes some 20 ms.
                assert!(started.elapsed().as_secs() < 5, "{}", &text[..text.len().min(99)]);
            }
        }
    }
}

#[test]
fn there_are_not_too_many() {
    let mut state = state("");
    for number in 0..1000 {
        state.scope_mut().push(format!("a{number}"), number);
    }
    let completion = complete(&state, "|");
    assert_eq!(completion.candidates.len(), MOST);
    let names: Vec<_> = completion.candidates.iter().map(|it| it.replacement.as_str()).collect();
    assert!(
        names.contains(&"users::") && names.contains(&"a999") && names.is_sorted(),
        "{names:?}"
    );
}
