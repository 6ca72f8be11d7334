import Crypto
import Foundation
package import Postgres
package import Registry

/// Real index files and the questions of real applications, for figures; the data is not part of the project.
///
/// A folder with `index/` (files of a sparse index) and `apps30.json` (by name: the application's index line, and
/// `index_files`, what resolving it asks).
package enum PopularClosure {
    package struct Application: Sendable {
        package let name: String
        /// Its own dependencies: what cargo asks first.
        package let direct: [Registry.IndexPath]
        /// What resolving it asks, as far as the data has the files.
        package let asked: Set<String>
        /// What of it can be found from `direct` by way of files that the data has.
        package let reachable: Set<String>
        /// The same in rounds, as cargo asks: each when an earlier one named it.
        package let rounds: [[Registry.IndexPath]]
    }

    private struct Entry: Decodable {
        let line: Line
        let index_files: [String]
    }

    private struct Line: Decodable {
        struct Dependency: Decodable {
            let name: String
            let package: String?
            let kind: String?

            var crate: String { (package ?? name).lowercased() }
        }

        let deps: [Dependency]
    }

    private struct Stored: Decodable {
        let name: String
        let vers: String
        let yanked: Bool
    }

    package static func applications(in folder: String) throws -> [Application] {
        let entries = try JSONDecoder().decode(
            [String: Entry].self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/apps30.json")))
        var needs: [String: [String]] = [:]
        return try entries.sorted { $0.key < $1.key }.map { try application($0.key, $0.value, folder, &needs) }
    }

    private static func application(
        _ name: String, _ entry: Entry, _ folder: String, _ needs: inout [String: [String]]
    ) throws -> Application {
        let asked = Set(
            entry.index_files.filter { FileManager.default.fileExists(atPath: "\(folder)/index/\($0)") }
                .compactMap { $0.split(separator: "/").last.map(String.init) })
        let direct = Set(entry.line.deps.map(\.crate)).sorted()
        var rounds: [[String]] = []
        var seen: Set<String> = []
        var frontier = direct.filter(asked.contains)
        while !frontier.isEmpty {
            rounds.append(frontier)
            seen.formUnion(frontier)
            for name in frontier where needs[name] == nil { needs[name] = try needed(by: name, in: folder) }
            let named = Set(frontier.flatMap { needs[$0] ?? [] })
            frontier = named.intersection(asked).subtracting(seen).sorted()
        }
        return Application(
            name: name, direct: try direct.map { try CrateName($0).indexPath }, asked: asked, reachable: seen,
            rounds: try rounds.map { try $0.map { try CrateName($0).indexPath } })
    }

    /// What any version of a crate needs.
    private static func needed(by name: String, in folder: String) throws -> [String] {
        let path = "\(folder)/index/\(try CrateName(name).indexPath)"
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").flatMap { line in
            try JSONDecoder().decode(Line.self, from: Data(line.utf8)).deps.filter { $0.kind != "dev" }.map(\.crate)
        }
    }

    /// Puts all index files into a repository, past the publish path: there are no crates behind them.
    package static func load(_ folder: String, into repositoryID: Int64, _ pool: PostgresPool) async throws {
        let root = URL(fileURLWithPath: folder + "/index")
        let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: [.isRegularFileKey])
        while let file = files?.nextObject() as? URL {
            guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
            // Two lines of one version (they differ in build metadata only) can't be here.
            var numbers: Set<String> = []
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap {
                text -> (line: Stored, bare: String, text: String)? in
                let line = try JSONDecoder().decode(Stored.self, from: Data(text.utf8))
                guard let bare = try? Version(line.vers).bare, numbers.insert(bare).inserted else { return nil }
                return (line: line, bare: bare, text: String(text))
            }
            guard let last = lines.last, let name = try? CrateName(last.line.name) else { continue }
            let text = lines.map { $0.text + "\n" }.joined()
            let checksum = Array(SHA256.hash(data: Data(text.utf8)))
            _ = try await pool.execute(
                """
                WITH crate AS (
                  INSERT INTO crates (repository_id, identity, name, generation, index_checksum, index_bytes)
                  VALUES (\(repositoryID), \(name.identity), \(name.spelling), 1, \(checksum), \(text.utf8.count))
                  RETURNING id)
                INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line, yanked)
                SELECT crate.id, v.number, v.bare, decode(repeat('00', 32), 'hex'), 1, v.line, v.yanked
                FROM crate, unnest(\(lines.map(\.line.vers))::text[],
                  \(lines.map(\.bare))::text[], \(lines.map(\.text))::text[],
                  \(lines.map { $0.line.yanked ? "t" : "f" })::boolean[])
                  WITH ORDINALITY AS v (number, bare, line, yanked, place)
                ORDER BY v.place
                """)
        }
        _ = try await pool.execute("ANALYZE crates")
        _ = try await pool.execute("ANALYZE versions")
    }
}
