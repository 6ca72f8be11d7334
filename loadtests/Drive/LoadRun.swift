import NIOCore

/// One run of a verb: drives its sessions against one server, or against two in turn, and reports.
///
/// A verb with sessions is its options and this one call:
///
///     try await LoadRun("resolve", options: load, settings: [("http", "h2")]).measure(target) { url in
///         try await ResolveMaker(url)
///     }
struct LoadRun {
    let verb: String
    let options: LoadOptions
    /// What the verb was told beside `options`, for the head of the report. No secrets.
    let settings: [(name: String, value: String)]

    init(_ verb: String, options: LoadOptions, settings: [(name: String, value: String)] = []) {
        self.verb = verb
        self.options = options
        self.settings = settings
    }

    /// Measures, shows progress on standard error, and prints and writes what was found.
    ///
    /// - Parameters:
    ///   - target: side A; `options.compare` is side B.
    ///   - maker: called once for each side before anything is measured.
    /// - Throws: `BenchFailure` after the report if a session failed, or at once if nothing can be measured.
    func measure(_ target: String, maker: (String) async throws -> any SessionMaker) async throws {
        throw BenchFailure("comes with the driver")
    }
}
