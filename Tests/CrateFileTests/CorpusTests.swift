import CrateFile
import Foundation
import Registry
import TestSupport
import Testing

/// Crates that real people published.
@Suite(.enabled(if: Corpus.isHere, "this machine has no crate corpus"))
struct CorpusTests {
    @Test func `every real crate is accepted, with its own name, version and checksum`() async throws {
        try await withTemporaryFolder("corpus") { folder in
            let corpus = try await Corpus.unpack(into: folder)
            let crates = try corpus.crates()
            #expect(crates.count > 100)
            for crate in crates {
                let name = try CrateName(crate.name)
                let inspector = CrateInspector(name: name, version: try Version(crate.version))
                let inspection = try inspector.inspect(path: crate.path)
                let package = try ManifestReader.read(inspection.manifest)["package"]
                #expect(package?["name"] == .string(crate.name))
                #expect(package?["version"] == .string(crate.version))
                let index = try String(contentsOfFile: "\(corpus.folder)/index/\(name.indexPath)", encoding: .utf8)
                #expect(index.contains("\"cksum\":\"\(inspection.checksum)\""), "\(crate.name) \(crate.version)")
            }
        }
    }
}
