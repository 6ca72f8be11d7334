import CrateFile
import Foundation
import Registry
import Testing

@testable import LoadTest

struct CorpusTests {
    @Test func `a sample has the quantiles of the table`() throws {
        let all = try CrateSizes.parse(table(1_000))
        let sample = CrateSizes.sample(all, count: 100)
        #expect(sample.count == 100)
        let (whole, part) = (all.map(\.bytes).sorted(), sample.map(\.bytes).sorted())
        for (quantile, bytes) in zip([5, 250, 500, 900, 990], [0, 25, 50, 90, 99].map { part[$0] }) {
            #expect(abs(bytes - whole[quantile]) <= whole[quantile] / 10)
        }
        #expect(CrateSizes.sample(all, count: 5_000).count == 1_000)
        #expect(CrateSizes.sample(all, count: nil).map(\.dependents).first == all.map(\.dependents).max())
    }

    @Test(arguments: ["serde\t1\t2", "serde\t0\t2\t3", "1serde\t1\t2\t3", "serde\t1\tx\t3", ""])
    func `a table that says something else is refused`(text: String) {
        #expect(throws: BenchFailure.self) { try CrateSizes.parse(text) }
    }

    @Test func `crates depend on more used ones, in proportion to their dependents, without cycles`() throws {
        let crates = CrateSizes.sample(try CrateSizes.parse(table(2_000)), count: nil)
        let plan = CorpusPlan(crates, seed: 7)
        for (place, chosen) in plan.dependencies.enumerated() {
            #expect(chosen.allSatisfy { $0 < place })
            #expect(Set(chosen).count == chosen.count)
        }
        let wanted = crates.reduce(0) { $0 + $1.dependents }
        let made = plan.dependents.reduce(0, +)
        #expect(made > wanted * 9 / 10 && made <= wanted * 11 / 10)
        let topWanted = crates.prefix(20).reduce(0) { $0 + $1.dependents }
        let topMade = plan.dependents.prefix(20).reduce(0, +)
        #expect(topMade > topWanted * 8 / 10 && topMade < topWanted * 14 / 10)
    }

    @Test func `a corpus has the sizes of its table, lines that import reads, and crates that break no rule`()
        async throws
    {
        try await withFolder { folder in
            let crates = CrateSizes.sample(try CrateSizes.parse(table(60)), count: nil)
            let plan = CorpusPlan(crates, seed: 1)
            let corpus = CorpusFolder(path: folder + "/made", plan: plan)
            try await corpus.write(atOnce: 2)
            #expect(corpus.current.versions == crates.reduce(0) { $0 + $1.versions })
            for size in crates {
                let path = size.name.indexPath.description
                let text = try String(contentsOfFile: "\(folder)/made/index/\(path)", encoding: .utf8)
                let least = size.versions * (IndexLineMaker.emptyBytes + size.name.spelling.utf8.count + 2)
                #expect(text.utf8.count <= max(size.bytes, least))
                #expect(text.utf8.count >= size.bytes - 14 * size.versions)
                let lines = try text.split(separator: "\n").map { try IndexLine(parsing: $0) }
                #expect(lines.count == size.versions)
                for line in lines { try check(line, path, folder) }
            }
        }
    }

    @Test func `the same seed gives the same bytes, another one others`() throws {
        let crates = CrateSizes.sample(try CrateSizes.parse(table(300)), count: nil)
        func line(_ seed: UInt64) throws -> String {
            let crate = try SyntheticCrate(200, of: CorpusPlan(crates, seed: seed))
            return try crate.version(0).line.json
        }
        #expect(try line(1) == line(1))
        #expect(try line(1) != line(2))
    }

    @Test func `a folder that holds something is left alone`() async throws {
        try await withFolder { folder in
            try Data("mine".utf8).write(to: URL(fileURLWithPath: folder + "/file"))
            let plan = CorpusPlan(try CrateSizes.parse(table(3)), seed: 1)
            await #expect(throws: BenchFailure.self) {
                try await CorpusFolder(path: folder, plan: plan).write(atOnce: 1)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        }
    }

    private func check(_ line: IndexLine, _ path: String, _ folder: String) throws {
        let shelf = path.split(separator: "/").dropLast().joined(separator: "/")
        let file = "\(folder)/made/crates/\(shelf)/\(line.name.spelling)-\(line.version).crate"
        let inspection = try CrateInspector(name: line.name, version: line.version).inspect(path: file)
        #expect(inspection.checksum == line.checksum)
        let facts = try ManifestRules.check(
            ManifestReader.read(inspection.manifest),
            announced: PublishMetadata(name: line.name, version: line.version), ownIndexURLs: [],
            metadataRequired: true)
        #expect(facts.dependencies.map(\.name) == line.dependencies.map(\.name))
        #expect(facts.features.keys.sorted() == line.allFeatures.keys.sorted())
    }

    /// Sizes that are as unequal as real ones.
    private func table(_ count: Int) -> String {
        (1...count).map { number in
            "made-\(number)\t\(1 + number % 7)\t\(1_000 + number * 20)\t\(3_000 / number)\n"
        }.joined()
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("corpus-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }
}
