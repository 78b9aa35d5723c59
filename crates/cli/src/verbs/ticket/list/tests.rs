//! Lists as people and programs write them.

use super::*;

fn read_text(name: &str, text: impl AsRef<[u8]>) -> Result<Vec<Listed>, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read(&path)
}

/// Each tenant as `context=token`, each failure as its lines, which never hold a token.
fn told(name: &str, text: impl AsRef<[u8]>) -> Vec<String> {
    let told = |listed: Listed| match listed.tenant {
        Ok(tenant) => format!("{}={}", tenant.context(), tenant.system_user_token().expose()),
        Err(failure) => {
            let lines = failure.lines().join("; ");
            assert_eq!(failure.exit(), crate::failure::Exit::Configuration);
            assert!(!lines.contains("s3cr3t"), "{lines}");
            lines
        }
    };
    read_text(name, text).unwrap().into_iter().map(told).collect()
}

#[test]
fn csv_has_its_columns_in_any_order_among_others() {
    let wanted = ["Cust1=App 1.0-s3cr3t", "Cust2=App-2"];
    for text in [
        "context,system_user_token\nCust1,App 1.0-s3cr3t\nCust2,App-2\n",
        "\u{feff}context,system_user_token\r\nCust1,App 1.0-s3cr3t\r\n\r\nCust2,App-2",
        "name,system_user_token,context\n\"Smith, J\",App 1.0-s3cr3t,Cust1\nx,App-2,Cust2,more\n",
        "Context;System_User_Token\nCust1;App 1.0-s3cr3t\n\n;\nCust2;App-2\n",
        "\n\"context\",\"system_user_token\"\n\"Cust1\",\"App 1.0-s3cr3t\"\n Cust2,  App-2 \n",
    ] {
        assert_eq!(told("list.csv", text), wanted, "{text:?}");
        assert_eq!(told("list", text), wanted, "{text:?}");
    }
}

#[test]
fn json_lines_have_their_members_among_others() {
    let wanted = ["Cust1=App-s3cr3t", "Cust2=App \u{e6}"];
    let text = "{\"context\":\"Cust1\",\"system_user_token\":\"App-s3cr3t\",\"n\":[1]}\r\n\r\n\
                 {\"system_user_token\":\"App \\u00e6\",\"context\":\"Cust2\"}";
    for name in ["list.jsonl", "list.ndjson", "list.json", "list.JSON", "list"] {
        assert_eq!(told(name, text), wanted, "{name}");
        assert_eq!(told(name, format!("\u{feff}\n{text}\n")), wanted, "{name}");
    }
}

#[test]
fn a_bad_line_is_told_by_its_number_and_stops_nobody() {
    let text = "context,system_user_token\r\nCust1,App-1\r\n\r\nCust/2,s3cr3t\r\nCust3\r\n,s3cr3t\r\nCust5,\r\nCust6,App-6\r\n";
    let lines = told("list.csv", text);
    assert_eq!((lines[0].as_str(), lines[5].as_str()), ("Cust1=App-1", "Cust6=App-6"));
    for (line, number) in lines[1..5].iter().zip([4, 5, 6, 7]) {
        assert!(line.contains(&format!("line {number} of `")) && line.contains("list.csv"), "{line}");
    }
    assert!(lines[4].starts_with("Cust5, "), "{}", lines[4]);

    let text = "{\"context\":\"Cust1\",\"system_user_token\":[\"s3cr3t\"]}\n\n{\"context\":\"Cust2\"}\ns3cr3t\n\
                 {\"context\":\"Cust4\",\"system_user_token\":\"App-4\"}\n{\"system_user_token\":\"s3cr3t\"}\n";
    let lines = told("list.jsonl", text);
    assert_eq!(lines[3], "Cust4=App-4");
    for (index, number) in [(0, 1), (1, 3), (2, 4), (4, 6)] {
        assert!(lines[index].contains(&format!("line {number} of `")), "{}", lines[index]);
    }
}

#[test]
fn bytes_that_are_no_text_and_a_quotation_mark_that_never_closes_are_told() {
    let lines =
        told("list.csv", b"context,system_user_token\nCust1,s3cr3t\xff\nCust2,\"s3cr3t\nCust3,App-3\n");
    assert!(lines[0].contains("line 2 of") && lines[0].contains("UTF-8"), "{}", lines[0]);
    assert!(lines[1].contains("line 3 of") && lines[1].contains("quotation mark"), "{}", lines[1]);
}

#[test]
fn what_is_no_list_at_all_is_said_without_repeating_it() {
    for (name, text, told) in [
        ("list.csv", &b""[..], "lists no tenant"),
        ("list.csv", b"context,system_user_token\n", "lists no tenant"),
        ("list.jsonl", b"\n\n", "lists no tenant"),
        ("list.csv", b"Cust1,s3cr3t\n", "no column `context`"),
        ("list.csv", b"context,s3cr3t\n", "no column `system_user_token`"),
        ("list.json", b"[{\"context\":\"s3cr3t\"}]", "one JSON array"),
        ("list.txt", b"\xff\xfec\0o\0", "UTF-16"),
    ] {
        let lines = read_text(name, text).unwrap_err().lines().join("; ");
        assert!(lines.contains(told) && lines.contains(name) && !lines.contains("s3cr3t"), "{lines}");
    }
    assert!(read(Path::new("no/such/list.csv")).unwrap_err().lines()[0].contains("no/such/list.csv"));
}

#[test]
fn a_tenant_that_is_listed_twice_is_taken_once_whatever_its_case() {
    let text =
        "context,system_user_token\nCust1,App-1\nCust2,App-2\ncUST1,App-1\nCust/,x\nCust1,App-3\nCust/,x\n";
    let (once, repeated) = each_once(read_text("list.csv", text).unwrap());
    assert_eq!((once.len(), repeated), (4, 2), "lines that are wrong are each told");
    assert_eq!(once[0].tenant.as_ref().unwrap().system_user_token().expose(), "App-1");
}
