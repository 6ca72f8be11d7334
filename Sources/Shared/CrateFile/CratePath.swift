/// The path of an entry that lies where it may: inside `name-vers/`, without tricks.
struct CratePath {
    /// As in the archive, without a slash at the end.
    let text: String
    /// Below `name-vers/`; empty for that folder itself.
    let inside: String

    private let parts: [Substring]

    /// - Parameter root: `name-vers`.
    init(of entry: TarEntry, root: String) throws(Objection) {
        let path = entry.path
        let isFolder = entry.kind == .directory
        text = isFolder && path.hasSuffix("/") ? String(path.dropLast()) : path
        // By scalars: a combining accent behind a slash would hide the slash from `Character`.
        let scalars = text.unicodeScalars
        parts = scalars.split(separator: "/", omittingEmptySubsequences: false).map(Substring.init)
        inside = String(scalars.dropFirst(root.unicodeScalars.count + 1))

        guard parts.first.map(String.init)?.isSame(as: root) == true, isFolder || parts.count > 1 else {
            throw .invalidPath(path, why: "every entry must lie in the folder `\(root)/`")
        }
        guard !parts.contains(where: { ["", ".", ".."].contains($0) }) else {
            throw .invalidPath(path, why: "a path may not hold `.`, `..` or an empty part")
        }
        guard !scalars.contains(where: { $0 == "\\" || $0.properties.generalCategory == .control }) else {
            throw .invalidPath(path, why: "a path may not hold a backslash or a control character")
        }
        guard path.utf8.count <= Self.bytesMax else {
            throw .invalidPath(path, why: "a path may have at most \(Self.bytesMax) bytes")
        }
    }

    /// What Linux can still open.
    static let bytesMax = 4096

    /// The key under which a file system without upper and lower case finds the file.
    var folded: String { text.lowercased() }

    /// Refuses what cargo or Windows cannot put on disk.
    ///
    /// Source: docs/PROTOCOL.md, G14; `cargo package` refuses or warns of the same names.
    func checkPortable() throws(Objection) {
        for part in parts {
            if part.lowercased() == ".cargo-ok" { throw .cargoMark(text) }
            if Self.isDevice(part) { throw .unportablePath(text, why: "and `\(part)` is the name of a device") }
            if part.unicodeScalars.contains(where: { "<>:\"|?*".unicodeScalars.contains($0) }) {
                throw .unportablePath(text, why: "which has one of the characters `<>:\"|?*`")
            }
            if let last = part.unicodeScalars.last, last == "." || last == " " {
                throw .unportablePath(text, why: "and a name that ends with a dot or a space")
            }
        }
    }

    /// Windows looks at what stands before the first dot only: `aux.rs` is the device, too.
    private static func isDevice(_ part: Substring) -> Bool {
        let stem = part.prefix { $0 != "." }.lowercased()
        return devices.contains(stem)
    }

    private static let devices: Set<String> = {
        let numbered = ["com", "lpt"].flatMap { name in "0123456789¹²³".map { "\(name)\($0)" } }
        return Set(["con", "prn", "aux", "nul"] + numbered)
    }()
}

extension String {
    /// Byte by byte, where `==` takes different Unicode forms of a text for equal.
    fileprivate func isSame(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
