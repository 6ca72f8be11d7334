import Registry
import Testing

struct PubtimeTests {
    // B8
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_787_295_909, "2026-08-21T07:05:09Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"), (-62_162_035_200, "0000-03-01T00:00:00Z"),
    ])
    func `seconds are written as 20 bytes`(seconds: Int64, text: String) throws {
        let time = try #require(Pubtime(secondsSince1970: seconds))
        #expect(time.description == text)
        #expect(Pubtime(text) == time)
    }

    @Test(arguments: [253_402_300_800, .max, .min, -62_162_035_201])
    func `years that need other than four digits are none`(
        seconds: Int64
    ) {
        #expect(Pubtime(secondsSince1970: seconds) == nil)
    }

    // B8
    @Test(arguments: [
        "", "2026-08-21T07:05:09", "2026-08-21T07:05:09z", "2026-08-21t07:05:09Z", "2026-8-21T07:05:09Z",
        "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-08-21T07:05:09+00:00",
        "2026-08-21T07:05:09.000Z",
    ])
    func `another form is refused`(text: String) {
        #expect(Pubtime(text) == nil)
    }

    // F22
    @Test(arguments: ["1", "1.60", "1.60.0", "0.0.0"]) func `a bare Rust version is taken`(text: String) {
        #expect(RustVersion(text)?.description == text)
    }

    // F22
    @Test(arguments: ["", "1.", ".1", "1.2.3.4", ">=1.70", "1.70-nightly", "v1", "01", "1.070", "1.x", " 1", "1.+7"])
    func `a Rust version with anything else is refused`(text: String) {
        #expect(RustVersion(text) == nil)
    }
}
