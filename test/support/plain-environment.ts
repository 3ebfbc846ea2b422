/** What commands print in tests is plain text, whatever asks for colours where the tests run: they read it. */
delete process.env.FORCE_COLOR;
process.env.NO_COLOR = '1';
