import Foundation
import Testing

/// What compose/compose.yaml promises: the programs that face users have no secret of the role that owns the tables.
struct ComposeTests {
    /// Blocks of the file by their name: services, volumes and secrets, and the parts that services share.
    private func blocks(of file: SourceFile) -> [(name: String, lines: [String])] {
        var blocks: [(name: String, lines: [String])] = []
        for line in file.lines where !line.trimmingCharacters(in: .whitespaces).hasPrefix("#") {
            let isShared = blocks.last?.name.hasPrefix("x-") == true
            if let name = line.firstMatch(of: isShared ? #/^([a-z0-9-]+):/# : #/^(?:  )?([a-z0-9-]+):/#)?.1 {
                blocks.append((String(name), []))
            }
            if !blocks.isEmpty { blocks[blocks.count - 1].lines.append(line) }
        }
        return blocks
    }

    private func naming(_ secret: String, _ blocks: [(name: String, lines: [String])]) -> Set<String> {
        Set(blocks.filter { $0.lines.contains { $0.contains(secret) } }.map(\.name))
    }

    @Test func `only migrate knows the owner's role, and the origins wait for it`() throws {
        let blocks = blocks(of: try Project.file("compose/compose.yaml"))
        #expect(naming("owner-url", blocks) == ["migrate", "owner-url"])
        #expect(naming("owner-password", blocks) == ["postgres", "owner-password"])
        #expect(naming("database-password", blocks) == ["postgres", "database-password"])
        let origin = try #require(blocks.first { $0.name == "x-origin" }).lines.joined(separator: "\n")
        #expect(origin.contains("migrate:\n      condition: service_completed_successfully"))
        #expect(origin.contains("secrets: [server-url]"))
    }
}
