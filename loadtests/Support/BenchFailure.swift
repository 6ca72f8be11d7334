/// What went wrong and what to do about it, in words for the person who ran the command.
struct BenchFailure: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
