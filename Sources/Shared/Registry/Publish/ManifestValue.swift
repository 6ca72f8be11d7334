/// A `Cargo.toml` as a tree of plain values, whoever read the TOML.
package enum ManifestValue: Hashable, Sendable {
    case string(String)
    case integer(Int64)
    case float(Double)
    case bool(Bool)
    /// A date, a time or both, as written.
    case date(String)
    case array([ManifestValue])
    case table([String: ManifestValue])

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [ManifestValue]? { if case .array(let values) = self { values } else { nil } }
    package var table: [String: ManifestValue]? { if case .table(let table) = self { table } else { nil } }

    /// A member of a table; nil for an absent one and for anything that is no table.
    package subscript(key: String) -> ManifestValue? { table?[key] }
}
