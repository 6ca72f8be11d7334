/// The headers of cargo's requests, in its order. Source: docs/PROTOCOL.md, "Resolving".
struct CargoHeaders: Sendable {
    typealias Fields = [(name: String, value: String)]

    /// Servers that look at cargo's version see one that they know; people see who it was.
    static let userAgent = "cargo/1.95.0 (longshore-bench)"
    /// Of the libcurl that rustup's cargo brings along.
    static let encodings = "deflate, gzip"

    /// Goes out as it is; nil for none.
    var token: String?

    /// For `config.json` and index files.
    ///
    /// - Parameter validator: of the copy that this cargo has; nil for none. `config.json` never has one.
    func index(known validator: CargoHome.Validator?) -> Fields {
        var fields: Fields = [
            ("user-agent", Self.userAgent), ("accept-encoding", Self.encodings), ("cargo-protocol", "version=1"),
            ("accept", "text/plain"),
        ]
        if let validator { fields.append((validator.field, validator.value)) }
        if let token { fields.append(("authorization", token)) }
        return fields
    }

    /// For crates.
    var crate: Fields {
        var fields: Fields = [
            ("user-agent", Self.userAgent), ("accept", "*/*"), ("accept-encoding", Self.encodings),
        ]
        if let token { fields.append(("authorization", token)) }
        return fields
    }
}
