
        union select led.@KEY@ from @TABLE@ as led where led.@OWNER@ = @ME@
