/// What cargo must be told so that a repository's traffic goes to one edge while its name stays.
///
/// `replace-with` names an entry of `[registries]`, not of `[source]`: only so can it have a credential provider of its
/// own, and cargo says nothing about a registry's name. Publishing needs nothing here: cargo takes `api` and its token
/// from the registry that was named with `--registry`, replaced or not. Seen with cargo 1.95.
/// Source: docs/decisions/0010-nearest-edge.md.
struct SourceReplacement: Hashable, Sendable {
    let address: RepositoryAddress
    /// The name under which cargo's user knows the registry.
    let registry: String
    let edgeName: String
    /// Of the edge, without a final slash.
    let edgeURL: String
    /// The value of `credential-provider`; nil for a public repository.
    let provider: [String]?
    /// Does the edge also stand in for crates.io?
    let replacesCratesIO: Bool

    /// The names that stand in the written tables.
    var canonicalSource: String { registry + "-canonical" }
    var nearestRegistry: String { registry + "-nearest" }
    var edgeIndex: String { "sparse+\(edgeURL)/\(address.repository)/index/" }

    /// The tables, each line ended.
    var tables: String {
        var text = """
            # Edge \(edgeName). Lock files and manifests keep the registry's own address; index files and crates come from here.
            [source.\(canonicalSource)]
            registry = \(Self.quoted(address.description))
            replace-with = \(Self.quoted(nearestRegistry))

            [registries.\(nearestRegistry)]
            index = \(Self.quoted(edgeIndex))

            """
        if let provider {
            text += "credential-provider = [\(provider.map(Self.quoted).joined(separator: ", "))]\n"
        }
        if replacesCratesIO {
            text += "\n[source.crates-io]\nreplace-with = \(Self.quoted(nearestRegistry))\n"
        }
        return text
    }

    /// Can this be a bare key of TOML and the name of a registry?
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// A basic string of TOML.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
