import Testing

@testable import Edge

struct PathCountsTests {
    @Test func `each path of each day has its own count`() {
        var counts = PathCounts()
        // More than the first table holds; lengths on both sides of a word's.
        let paths = (0..<1000).map { "/main/index/\(String(repeating: "x", count: $0 % 19))/\($0)" }
        for round in 0..<3 {
            for (place, path) in paths.enumerated() where place % 3 >= round {
                Array(path.utf8).withUnsafeBytes { counts.add($0, day: place % 2) }
            }
        }
        var seen: [String: Int] = [:]
        counts.forEach { path, day, count in
            seen[String(decoding: path, as: UTF8.self), default: 0] += count
            #expect(Int(String(decoding: path, as: UTF8.self).split(separator: "/").last ?? "").map { $0 % 2 } == day)
        }
        #expect(seen == Dictionary(uniqueKeysWithValues: paths.enumerated().map { ($1, $0 % 3 + 1) }))
    }

    @Test func `a path that begins another is not that other`() {
        var counts = PathCounts()
        for path in ["", "/a", "/ab", "/a", "/abcdefgh", "/abcdefghi"] {
            Array(path.utf8).withUnsafeBytes { counts.add($0, day: 0) }
        }
        var seen: [String: Int] = [:]
        counts.forEach { path, _, count in seen[String(decoding: path, as: UTF8.self)] = count }
        #expect(seen == ["": 1, "/a": 2, "/ab": 1, "/abcdefgh": 1, "/abcdefghi": 1])
    }
}
