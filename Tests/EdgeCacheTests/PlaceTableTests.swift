import Testing

@testable import EdgeCache

struct PlaceTableTests {
    @Test func `it holds what a dictionary holds, whatever comes and goes`() {
        var table = PlaceTable()
        var held: [String: Int] = [:]
        var keys: [Int: String] = [:]
        var numbers = SystemRandomNumberGenerator()
        for step in 0..<20_000 {
            // Few enough that they meet, of every length from none to three words.
            let number = Int.random(in: 0..<600, using: &numbers)
            let key = String(repeating: "k", count: number % 20) + "\(number)"
            if let place = held[key] {
                #expect(find(key, in: table, keys) == place)
                if step % 2 == 0 {
                    with(key) { table.remove($0, at: place) }
                    held[key] = nil
                }
            } else {
                #expect(find(key, in: table, keys) == nil)
                with(key) { table.add($0, at: step) }
                held[key] = step
                keys[step] = key
            }
            #expect(table.count == held.count)
        }
        for (key, place) in held { #expect(find(key, in: table, keys) == place) }
        for (key, place) in held { with(key) { table.remove($0, at: place) } }
        #expect(table.count == 0)
        for key in held.keys { #expect(find(key, in: table, keys) == nil) }
    }

    private func find(_ key: String, in table: PlaceTable, _ keys: [Int: String]) -> Int? {
        with(key) { table.find($0) { keys[$0] == key } }
    }

    private func with<Result>(_ key: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Array(key.utf8).withUnsafeBytes(body)
    }
}
