import Foundation

/// A text file of the project, as the rules see it.
struct SourceFile: Sendable {
    /// Below the project's folder: `Sources/Edge/Routes.swift`.
    let path: String
    let lines: [String]

    init(_ path: String, _ text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Line by line: number from 1, and the text without its `//` comment.
    var code: [(number: Int, text: String)] {
        lines.enumerated().map { ($0 + 1, Self.withoutComment($1)) }
    }

    private static func withoutComment(_ line: String) -> String {
        // The look at bytes spares most lines the slow regular expression.
        guard line.utf8.contains(UInt8(ascii: "/")), let mark = line.firstRange(of: #/(^|\s)//.*/#) else { return line }
        return String(line[..<mark.lowerBound])
    }
}

/// The checkout that these tests were built from.
enum Project {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All files below `folder` whose name ends so, in alphabetical order.
    static func files(in folder: String, ending suffix: String) throws -> [SourceFile] {
        let names = FileManager.default.enumerator(atPath: Self.folder.appending(path: folder).path)
        let paths = (names?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(suffix) }.sorted()
        return try paths.map { try file("\(folder)/\($0)") }
    }

    static func file(_ path: String) throws -> SourceFile {
        SourceFile(path, try String(contentsOf: folder.appending(path: path), encoding: .utf8))
    }

    static func has(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: path).path)
    }

    static func sources() throws -> [SourceFile] {
        try files(in: "Sources", ending: ".swift") + files(in: "loadtests", ending: ".swift")
    }

    /// Sources and tests, without these tests' own made examples of bad style.
    static func allSwift() throws -> [SourceFile] {
        try sources()
            + files(in: "Tests", ending: ".swift").filter { !$0.path.hasPrefix("Tests/TidyTests/") }
    }
}
