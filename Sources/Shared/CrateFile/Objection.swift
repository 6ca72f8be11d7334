/// The rule that a `.crate` file breaks, in words fit for the person who ran `cargo publish`.
///
/// The texts begin as those of crates.io do, since people search for them; the cause and the next step follow.
/// Source: docs/PROTOCOL.md, "Server-side validation on publish", and the conformance cases G.
package enum Objection: Error, Equatable, Sendable {
    case notGzip
    case cut
    case damaged(String)
    case trailingBytes
    case tooLargeUnpacked(bytesMax: Int)
    case malformed(String)
    case tooManyEntries(max: Int)
    case invalidPath(String, why: String)
    case unexpectedType(String, path: String)
    case missingManifest
    case repeatedManifest
    case misspelledManifest(String)
    case manifestTooLarge(bytesMax: Int)
    case manifestNotUTF8
    case repeatedPath(String)
    case clashingPath(String)
    case unportablePath(String, why: String)
    case cargoMark(String)
}

extension Objection: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notGzip, .cut, .damaged, .trailingBytes, .tooLargeUnpacked, .malformed, .tooManyEntries:
            aboutTheArchive
        case .missingManifest, .repeatedManifest, .misspelledManifest, .manifestTooLarge, .manifestNotUTF8:
            aboutTheManifest
        case .invalidPath(let path, let why):
            "invalid path found: \(shown(path)): \(why)"
        case .unexpectedType(let type, let path):
            "unexpected tar entry type \(type) found: \(shown(path)): a crate holds files and directories only"
        case .repeatedPath(let path):
            "uploaded tarball contains `\(shown(path))` more than once; \(Self.packageAgain)"
        case .clashingPath(let path):
            "uploaded tarball contains `\(shown(path))` and another path that differs from it only in upper and "
                + "lower case; rename one of them, since they are the same file on Windows and macOS"
        case .unportablePath(let path, let why):
            "uploaded tarball contains `\(shown(path))`, \(why); rename the file, since Windows cannot hold it"
        case .cargoMark(let path):
            "uploaded tarball contains `\(shown(path))`; leave it out, since cargo keeps its own notes in that file"
        }
    }

    /// What is wrong with an archive, for those who made none with cargo.
    package var cause: String {
        switch self {
        case .notGzip: "it is not a gzip file"
        case .cut: "its gzip stream ends too early"
        case .damaged(let cause): "its gzip stream is damaged (\(cause))"
        case .trailingBytes: "bytes follow the end of its gzip stream"
        case .tooLargeUnpacked(let bytesMax): "unpacked it has more than \(bytesMax >> 20) MiB"
        case .malformed(let cause): cause
        default: description
        }
    }

    private var aboutTheArchive: String {
        switch self {
        case .notGzip:
            "uploaded tarball is malformed: it is not a gzip file; \(Self.packageAgain)"
        case .cut:
            "uploaded tarball is malformed: its gzip stream ends too early; \(Self.packageAgain)"
        case .damaged(let cause):
            "uploaded tarball is malformed: its gzip stream is damaged (\(cause)); \(Self.packageAgain)"
        case .trailingBytes:
            "uploaded tarball is malformed: bytes follow the end of its gzip stream; \(Self.packageAgain)"
        case .tooLargeUnpacked(let bytesMax):
            "uploaded tarball is malformed or too large when decompressed: more than \(bytesMax >> 20) MiB; "
                + "leave files out with `exclude` in Cargo.toml"
        case .malformed(let cause):
            "uploaded tarball is malformed: \(cause); \(Self.packageAgain)"
        case .tooManyEntries(let max):
            "uploaded tarball contains more than \(max) entries; leave files out with `exclude` in Cargo.toml"
        default:
            preconditionFailure("only objections to the archive come here")
        }
    }

    private var aboutTheManifest: String {
        switch self {
        case .missingManifest:
            "uploaded tarball is missing a `Cargo.toml` manifest file; \(Self.packageAgain)"
        case .repeatedManifest:
            "uploaded tarball contains more than one `Cargo.toml` manifest file; remove all but the one "
                + "that is spelled `Cargo.toml`"
        case .misspelledManifest(let name):
            "uploaded tarball's manifest `\(shown(name))` must be named `Cargo.toml` with that exact casing; rename it"
        case .manifestTooLarge(let bytesMax):
            "uploaded tarball's `Cargo.toml` is longer than \(bytesMax >> 10) KiB; shorten it"
        case .manifestNotUTF8:
            "uploaded tarball's `Cargo.toml` is not valid UTF-8; save it as UTF-8"
        default:
            preconditionFailure("only objections to the manifest come here")
        }
    }

    private static let packageAgain = "make it again with `cargo package`"
}

/// A path as an answer may show it: short, and without characters that move a terminal's cursor.
private func shown(_ path: String) -> String {
    let charactersMax = 120
    var text = ""
    for scalar in path.unicodeScalars.prefix(charactersMax) {
        text += scalar.isSafeToShow ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
    }
    return path.unicodeScalars.count > charactersMax ? text + "…" : text
}

extension Unicode.Scalar {
    /// Neither a control character nor one that changes the direction of the text around it.
    fileprivate var isSafeToShow: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
        default: true
        }
    }
}
