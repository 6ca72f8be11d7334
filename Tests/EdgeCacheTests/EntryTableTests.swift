import NIOCore
import Testing

@testable import EdgeCache

/// I9: memory has a limit.
struct EntryTableTests {
    private func key(_ number: Int) -> CacheKey { CacheKey(path: ByteBuffer(string: "/main/index/\(number)")) }

    private func entry(_ number: Int, bytes: Int = 600) -> CacheEntry {
        CacheEntry(
            key: key(number), kind: .index, value: CoreScene.value(bytes: bytes), position: 1, epoch: 1,
            verifiedAt: Moment(nanoseconds: 0))
    }

    @Test func `the limit holds, whatever is put in`() {
        var table = EntryTable(bytesMax: 10_000)
        for number in 0..<1000 {
            _ = table.put(entry(number, bytes: 100 + number % 3000))
            #expect(table.bytes <= 10_000)
        }
        #expect(table.count > 0)
    }

    @Test func `what is in use outlives a scan over cold names`() {
        var table = EntryTable(bytesMax: 10_000)
        for number in 0..<10 { _ = table.put(entry(number)) }
        for number in 10..<200 {
            #expect(table.use(key(0)) != nil)
            _ = table.put(entry(number))
        }
        #expect(table[key(0)] != nil)
    }

    @Test func `what is larger than the limit is not kept, and pushes nothing out`() {
        var table = EntryTable(bytesMax: 10_000)
        _ = table.put(entry(1))
        #expect(table.put(entry(2, bytes: 20_000)) == [key(2)])
        #expect(table[key(1)] != nil)
    }

    @Test func `removing gives the bytes back`() {
        var table = EntryTable(bytesMax: 10_000)
        for number in 0..<5 { _ = table.put(entry(number)) }
        for number in 0..<5 { table.remove(key(number)) }
        #expect(table.bytes == 0)
        #expect(table.count == 0)
    }
}
