package import Registry

/// Reads the TOML of a `Cargo.toml` that nobody vouches for.
///
/// TOML 1.0, all of it. The library at hand was tried first: it keeps every parsed document for ever, cuts the text at a NUL
/// and crashes on a key with an escaped one, so this room has its own. What grows from the input is bounded: nesting,
/// tables and values, so that a manifest of 1 MiB costs some tens of MiB at most, and only while it is read.
/// Source: https://toml.io/en/v1.0.0
package enum ManifestReader {
    /// Of a value below the root: headers, dotted keys, arrays and inline tables count together.
    package static let depthMax = 64
    package static let tablesMax = 20_000
    package static let valuesMax = 200_000

    /// - Returns: always a `.table`. Dates and times stay text, as they were written.
    /// - Throws: the first fault, with its place.
    package static func read(_ text: String) throws(Invalid) -> ManifestValue {
        var document = TOMLDocument(Array(text.utf8))
        return try document.read()
    }

    /// What is wrong with a manifest's text, and where.
    package struct Invalid: Error, Equatable, Sendable, CustomStringConvertible {
        /// From 1.
        package let line: Int
        /// From 1, in Unicode scalars.
        package let column: Int
        package let reason: String

        package var description: String {
            "failed to parse `Cargo.toml` manifest file: line \(line), column \(column): \(reason)"
        }
    }
}
