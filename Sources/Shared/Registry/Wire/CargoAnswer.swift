/// The JSON that cargo reads from the web API.
///
/// | answer                         | JSON                                                                        | case |
/// |--------------------------------|-----------------------------------------------------------------------------|------|
/// | `errors(["a", "b"])`           | `{"errors":[{"detail":"a"},{"detail":"b"}]}`; cargo prints every detail     | H13  |
/// | `published(warnings: ["a"])`   | `{"warnings":{"invalid_categories":[],"invalid_badges":[],"other":["a"]}}`  | E19  |
/// | `done`                         | `{"ok":true}`; `false`, or an empty body, breaks cargo                       | H1   |
/// | `message("a")`                 | `{"ok":true,"msg":"a"}`; cargo prints `Owner a`                              | H7   |
/// | `owners([…])`                  | `{"users":[{"id":1,"login":"a","name":null}]}`                              | H7   |
/// | `search([…], total: 1)`        | `{"crates":[{"name":"a","max_version":"1.0.0","description":"b"}],"meta":{"total":1}}` | H10 |
///
/// Source: docs/PROTOCOL.md, "Web API".
package enum CargoAnswer: Hashable, Sendable {
    case errors([String])
    case published(warnings: [String])
    case done
    case message(String)
    case owners([Owner])
    /// `total` counts all that match, not only the page.
    case search([Hit], total: UInt32)

    /// One row of `cargo owner --list`.
    package struct Owner: Hashable, Sendable {
        /// cargo reads no more than 32 bits.
        package let id: UInt32
        package let login: String
        package let name: String?

        package init(id: UInt32, login: String, name: String? = nil) {
            self.id = id
            self.login = login
            self.name = name
        }
    }

    /// One row of `cargo search`.
    package struct Hit: Hashable, Sendable {
        package let name: CrateName
        package let newest: Version
        package let description: String?

        package init(name: CrateName, newest: Version, description: String?) {
            self.name = name
            self.newest = newest
            self.description = description
        }
    }

    package var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            switch self {
            case .errors(let details): Self.writeErrors(details, to: &writer)
            case .published(let warnings): Self.writeWarnings(warnings, to: &writer)
            case .done: Self.writeDone(nil, to: &writer)
            case .message(let text): Self.writeDone(text, to: &writer)
            case .owners(let owners): Self.write(owners, to: &writer)
            case .search(let hits, let total): Self.write(hits, total: total, to: &writer)
            }
        }
        return writer.text
    }

    private static func writeErrors(_ details: [String], to writer: inout JSONWriter) {
        writer.key("errors")
        writer.array(details) { writer, detail in
            writer.object { writer in
                writer.key("detail")
                writer.string(detail)
            }
        }
    }

    // `other` alone is printed as it stands; the two lists bring a text about crates.io with them.
    private static func writeWarnings(_ warnings: [String], to writer: inout JSONWriter) {
        writer.key("warnings")
        writer.object { writer in
            writer.key("invalid_categories")
            writer.strings([])
            writer.key("invalid_badges")
            writer.strings([])
            writer.key("other")
            writer.strings(warnings)
        }
    }

    private static func writeDone(_ message: String?, to writer: inout JSONWriter) {
        writer.key("ok")
        writer.bool(true)
        guard let message else { return }
        writer.key("msg")
        writer.string(message)
    }

    private static func write(_ owners: [Owner], to writer: inout JSONWriter) {
        writer.key("users")
        writer.array(owners) { writer, owner in
            writer.object { writer in
                writer.key("id")
                writer.number(Int(owner.id))
                writer.key("login")
                writer.string(owner.login)
                writer.key("name")
                writer.string(owner.name)
            }
        }
    }

    private static func write(_ hits: [Hit], total: UInt32, to writer: inout JSONWriter) {
        writer.key("crates")
        writer.array(hits) { writer, hit in
            writer.object { writer in
                writer.key("name")
                writer.string(hit.name.spelling)
                writer.key("max_version")
                writer.string(hit.newest.description)
                writer.key("description")
                writer.string(hit.description)
            }
        }
        writer.key("meta")
        writer.object { writer in
            writer.key("total")
            writer.number(Int(total))
        }
    }
}
