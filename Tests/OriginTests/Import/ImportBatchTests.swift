import Registry
import Testing

@testable import Origin

struct ImportBatchTests {
    @Test(arguments: [
        // crates of so many versions each → how many a batch takes
        ([Int](repeating: 1, count: 150), 100),
        ([Int](repeating: 60, count: 10), 3),
        ([5_000, 1], 1),
        ([1, 5_000], 1),
    ])
    func `a batch ends at its limits, and the first crate is always taken`(versions: [Int], taken: Int) throws {
        var batch = ImportBatch()
        var count = 0
        for (number, versions) in versions.enumerated() {
            guard batch.take(try crate("c\(number)", versions)) else { break }
            count += 1
        }
        #expect(count == taken && batch.crates.count == taken)
    }

    // One statement can't change the same row twice.
    @Test func `two spellings of one name go into two batches`() throws {
        var batch = ImportBatch()
        #expect(batch.take(try crate("foo-bar", 1)))
        #expect(!batch.take(try crate("Foo_Bar", 1)))
        #expect(batch.crates.map(\.name.spelling) == ["foo-bar"])
    }

    private func crate(_ name: String, _ versions: Int) throws -> ImportBatch.Crate {
        let name = try CrateName(name)
        return ImportBatch.Crate(
            name: name,
            offers: try (0..<versions).map {
                ImportOffer(name: name, version: try Version("1.0.\($0)"), line: nil, place: .file("/\($0)"))
            })
    }
}
