import Foundation

/// Real crates to publish, import and build from: a tar with `crates/NAME/NAME-VERSION.crate`, their index files, a manifest.
///
/// It is not part of the project: `LONGSHORE_CORPUS` names the folder that holds `crate-corpus.tar` and
/// `probe-project`; without it, `../shared/data` beside the checkout is looked at.
package struct Corpus: Sendable {
    /// Unpacked: `crates`, `index`, `manifest.json`.
    package let folder: String
    /// A real application whose dependencies the corpus has.
    package let probeProject: String

    package static var source: String {
        if let named = ProcessInfo.processInfo.environment["LONGSHORE_CORPUS"] { return named }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../../shared/data"
        )
        .standardizedFileURL.path
    }

    /// For `.enabled(if:)`: the reason to skip is that the machine has no corpus.
    package static var isHere: Bool { FileManager.default.fileExists(atPath: source + "/crate-corpus.tar") }

    /// - Parameter folder: where to unpack; the caller removes it.
    package static func unpack(into folder: String) async throws -> Corpus {
        let tar = try await runTool("tar", ["-xf", source + "/crate-corpus.tar", "-C", folder])
        guard tar.status == 0 else { throw Unreadable(text: tar.text) }
        return Corpus(folder: folder + "/crate-corpus", probeProject: source + "/probe-project")
    }

    /// Every `.crate`, by name and version.
    package func crates() throws -> [(name: String, version: String, path: String)] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/crates").sorted()
        return try names.flatMap { name in
            try FileManager.default.contentsOfDirectory(atPath: "\(folder)/crates/\(name)").sorted().map { file in
                (
                    name, String(file.dropFirst(name.count + 1).dropLast(".crate".count)),
                    "\(folder)/crates/\(name)/\(file)"
                )
            }
        }
    }

    private struct Unreadable: Error { let text: String }
}
